//! The change log as replication reads it: pages of records, and its trimming.
//!
//! It sends nothing.

use std::ops::Bound;

use bytes::{Buf, Bytes};

use base::region::RegionId;
use clock::hlc::Hlc;
use replica_core::record::Record;
use replica_core::vector::{Seq, VersionVector};
use store::port::{Batch, Durability, Order, Range, Space, Store, StoreError};

use crate::history::Cause;
use crate::layout::{self, meta};
use crate::limits::{STEP_BYTES, STEP_ROWS};
use crate::locks::Locks;
use crate::pages::Pages;
use crate::planted::Planted;
use crate::state::Staging;
use crate::tables::{Damaged, ReadError, Tables};

/// Records of one origin's log, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The records; each change of them in a table that this region replicates.
    pub records: Vec<Record>,
    /// The position that they reach; the one asked for where there is nothing further.
    pub to: Seq,
}

/// A log that cannot be read from the position asked for.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Records behind it are gone: every region was known to have them.
    #[error("read the log of {origin}: it begins at {first}")]
    Trimmed {
        /// Whose log.
        origin: RegionId,
        /// The first position that is kept.
        first: Seq,
    },
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl<S: Store> Tables<S> {
    /// Returns what has been handed in here, of each origin: nothing that was read lies beyond.
    pub fn touched(&self) -> VersionVector {
        self.lock().staged.clone()
    }

    /// Reads records of `origin` after a position, as many as reach `bytes_max`.
    ///
    /// Only what is on disk here is given. Where this region got an origin's log with gaps, since
    /// it replicates fewer tables, the page ends before the gap.
    ///
    /// Errors: [`LogError`].
    pub async fn read_log(
        &self,
        origin: RegionId,
        after: Seq,
        bytes_max: usize,
    ) -> Result<LogPage, LogError> {
        let durable = self.durable().at(origin);
        if after >= durable {
            return Ok(LogPage {
                records: Vec::new(),
                to: after,
            });
        }
        let range = Range {
            space: Space::Log,
            from: Bound::Excluded(layout::log_key(origin, after)),
            to: Bound::Included(layout::log_key(origin, durable)),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max,
        };
        let rows = self
            .inner
            .store
            .range(range)
            .await
            .map_err(ReadError::from)?
            .rows;
        let mut page = LogPage {
            records: Vec::with_capacity(rows.len()),
            to: after,
        };
        for (_, value) in rows {
            let record =
                Record::decode(value).map_err(|_| ReadError::from(Damaged("a log record")))?;
            if record.seq != page.to.next() {
                break;
            }
            page.to = record.seq;
            page.records.push(record);
        }
        if page.records.is_empty() {
            let gone = self.trimmed(origin).await?.max(self.begins_of(origin));
            if after < gone {
                return Err(LogError::Trimmed {
                    origin,
                    first: gone.next(),
                });
            }
        }
        Ok(page)
    }

    /// Removes records that every region has on disk, up to `floor`.
    ///
    /// A record stays while this region lacks something that its write had seen: until then it
    /// tells a late arrival from a race.
    ///
    /// Errors: those of the store.
    pub async fn trim_log(&self, floor: &VersionVector) -> Result<(), ReadError> {
        for (origin, to) in floor.iter() {
            while self.trim_step(origin, to).await? {}
        }
        Ok(())
    }

    /// Removes some records of `origin`; returns whether there may be more to remove.
    async fn trim_step(&self, origin: RegionId, to: Seq) -> Result<bool, ReadError> {
        let to = to.min(self.durable().at(origin));
        let after = self.trimmed(origin).await?;
        if after >= to {
            return Ok(false);
        }
        let range = Range {
            space: Space::Log,
            from: Bound::Excluded(layout::log_key(origin, after)),
            to: Bound::Included(layout::log_key(origin, to)),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        let page = self.inner.store.range(range).await?;
        let applied = self.applied();
        let too_soon = self.lock().planted == Planted::TrimmedTooSoon;
        let mut batch = Batch::default();
        let mut trimmed = after;
        let mut is_kept = false;
        for (key, value) in page.rows {
            let record = Record::decode(value).map_err(|_| Damaged("a log record"))?;
            if !applied.covers(&record.seen) && !too_soon {
                is_kept = true;
                break;
            }
            trimmed = record.seq;
            batch.delete(Space::Log, key.to_vec());
        }
        if trimmed > after {
            let to = trimmed.0.to_be_bytes().to_vec();
            batch.put(Space::Meta, meta::trimmed(origin), to);
            self.commit(batch, Durability::Buffered).await?;
        }
        Ok(page.more && !is_kept)
    }

    /// Removes tombstones stamped below `limit`, which the frontier has passed twice.
    ///
    /// Errors: those of the store.
    pub async fn collect_tombstones(&self, limit: Hlc) -> Result<(), ReadError> {
        let range = Range {
            space: Space::Tombstones,
            from: Bound::Unbounded,
            to: Bound::Excluded(limit.0.to_be_bytes().to_vec()),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        let mut pages = Pages::of(&self.inner.store, range);
        while let Some(rows) = pages.next().await? {
            for (key, _) in rows {
                self.collect(key).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn collect(&self, key: Bytes) -> Result<(), ReadError> {
        let (version, table, suffix) = layout::decode_tombstone(key)?;
        let is_filled_here = self.table(table).is_some_and(|def| def.filling);
        if is_filled_here || self.lock().filling.contains(&table) {
            return Ok(());
        }
        let items = std::iter::once((table, &suffix[..]));
        let needed = Locks::needed(items);
        let held = self.inner.locks.hold(needed).await;
        let stored = self.stored(table, &suffix).await?;
        let mut batch = Batch::default();
        let _order = self.in_order();
        match stored {
            Some(stored) if stored.image.is_none() && stored.collected() == version => {
                let def = self.table(table);
                let change = Staging {
                    table,
                    def: def.as_deref(),
                    suffix: &suffix,
                    old: Some(&stored),
                    new: None,
                    cause: Cause::Removed,
                };
                // A tombstone that goes changes nothing that can be seen: no history follows.
                self.lock().stage(&mut batch, &change);
            }
            Some(_) | None => {
                let key = layout::tombstone_key(version, table, &suffix);
                batch.delete(Space::Tombstones, key);
            }
        }
        let done = move |_: Result<(), StoreError>| drop(held);
        self.inner
            .store
            .submit(batch, Durability::Buffered, Box::new(done));
        Ok(())
    }

    /// Returns up to where records of `origin` were removed one by one.
    pub(crate) async fn trimmed(&self, origin: RegionId) -> Result<Seq, ReadError> {
        let fact = self
            .inner
            .store
            .get(Space::Meta, &meta::trimmed(origin))
            .await?;
        match fact {
            None => Ok(Seq(0)),
            Some(mut fact) => Ok(Seq(fact
                .try_get_u64()
                .map_err(|_| Damaged("a trimmed position"))?)),
        }
    }
}
