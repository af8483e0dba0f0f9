//! What other regions wrote: applied in order, exactly once, merged by version.
//!
//! It receives nothing itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, TooFarAhead};
use replica_core::merge::{self, Decision, Stamp};
use replica_core::record::{Change, Record};
use replica_core::vector::Seq;
use store::port::{Batch, Durability, Space, Store, StoreError};

use crate::conflict::{self, Pair};
use crate::history::Cause;
use crate::layout::{self, Stored};
use crate::locks::Locks;
use crate::merging;
use crate::planted::Planted;
use crate::state::{self, Staging, State};
use crate::tables::{Damaged, Inner, ReadError, Tables};

/// Records that were not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// They do not follow what was applied.
    #[error("apply records of {origin} after {after}: only {applied} was applied")]
    Gap {
        /// Whose records.
        origin: RegionId,
        /// The position that they follow.
        after: Seq,
        /// What was applied.
        applied: Seq,
    },
    /// Their stamps lie too far ahead. Nothing is lost: they are to be given again later.
    #[error(transparent)]
    TooFarAhead(#[from] TooFarAhead),
    /// The origin is no region of this project, or it is this region.
    #[error("apply records of {0}: it is no other region of this project")]
    NoPeer(RegionId),
    /// What is stored cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Items as they will be, of one frame.
type Staged = BTreeMap<(TableId, Bytes), (Option<Stored>, Stored)>;

impl<S: Store> Tables<S> {
    /// Applies records of `origin` that follow position `after` and reach position `to`.
    ///
    /// Records that were applied before are skipped. Returns once they can be read here; they are
    /// on disk a moment later, which [`Tables::durable`] tells.
    ///
    /// Errors: [`ApplyError`]; nothing is applied then.
    pub async fn apply(
        &self,
        origin: RegionId,
        after: Seq,
        to: Seq,
        records: Vec<Record>,
    ) -> Result<(), ApplyError> {
        let turn = self
            .inner
            .applying
            .get(&origin)
            .filter(|_| origin != self.inner.region);
        let _turn = turn.ok_or(ApplyError::NoPeer(origin))?.lock().await;
        let applied = self.applied().at(origin);
        if after > applied {
            return Err(ApplyError::Gap {
                origin,
                after,
                applied,
            });
        }
        if to <= applied {
            return Ok(());
        }
        let records: Vec<Record> = records
            .into_iter()
            .filter(|record| applied < record.seq && record.seq <= to)
            .collect();
        let last = records.iter().map(|record| record.hlc).max();
        let now = self.inner.clock.wall();
        if let Some(last) = last {
            self.lock().clock.observe(now, last)?;
        }
        let items = records.iter().flat_map(|record| &record.changes);
        let items = items.map(|change| (change.table, &change.key[..]));
        let needed = Locks::needed(items);
        let held = self.inner.locks.hold(needed).await;
        let mut batch = Batch::default();
        let staged = self.merge(&mut batch, &records).await?;
        let (done, wait) = oneshot::channel();
        {
            let _order = self.in_order();
            let hlc = {
                let mut state = self.lock();
                state.begin(now);
                self.stage_merged(&mut state, &mut batch, &staged);
                state.note_staged(origin, to, last)
            };
            state::stage_position(&mut batch, origin, to, hlc);
            let races = conflict::staged(&batch);
            let inner = Arc::clone(&self.inner);
            let completion = move |result: Result<(), StoreError>| {
                if result.is_ok() {
                    inner.note_applied(origin, to, staged.into_keys(), races);
                }
                drop(held);
                drop(done.send(result));
            };
            self.inner
                .store
                .submit(batch, Durability::Buffered, Box::new(completion));
            self.tell_flushed(origin, to, hlc);
        }
        Ok(wait.await.unwrap_or(Err(StoreError::Closed))?)
    }

    /// Notes up to where `origin`'s log is on disk, once what was handed in before is.
    pub(crate) fn tell_flushed(&self, origin: RegionId, to: Seq, hlc: Hlc) {
        let inner = Arc::clone(&self.inner);
        let flushed = move |result: Result<(), StoreError>| {
            if result.is_ok() {
                inner.note_flushed(origin, to, hlc);
            }
        };
        self.inner.store.flushed(Box::new(flushed));
    }

    fn stage_merged(&self, state: &mut State, batch: &mut Batch, staged: &Staged) {
        for ((table, suffix), (old, new)) in staged {
            let def = self.table(*table);
            let change = Staging {
                table: *table,
                def: def.as_deref(),
                suffix,
                old: old.as_ref(),
                new: Some(new),
                cause: Cause::Applied,
            };
            state.stage(batch, &change);
        }
    }

    /// Merges records, oldest first, into what is stored; their log copies go into `batch`.
    async fn merge(&self, batch: &mut Batch, records: &[Record]) -> Result<Staged, ApplyError> {
        let mut staged = Staged::new();
        for record in records {
            let copy = layout::log_key(record.origin, record.seq);
            batch.put(Space::Log, copy, record.encode());
            for change in &record.changes {
                if !self.lock().dropped.contains(&change.table) {
                    self.merge_change(batch, &mut staged, record, change)
                        .await?;
                }
            }
        }
        Ok(staged)
    }

    async fn merge_change(
        &self,
        batch: &mut Batch,
        staged: &mut Staged,
        record: &Record,
        change: &Change,
    ) -> Result<(), ApplyError> {
        let key = (change.table, change.key.clone());
        let (first, stored) = match staged.get(&key) {
            Some((first, stored)) => (first.clone(), Some(stored.clone())),
            None => {
                let stored = self.stored(change.table, &change.key).await?;
                (stored.clone(), stored)
            }
        };
        let stamp = record.stamp_of(change);
        let incoming = Stored {
            merged: change.merged.clone(),
            ..state::stored(stamp, change.image.clone(), record.hlc)
        };
        if merging::is_needed(stored.as_ref(), incoming.merged.as_ref()) {
            let joined = self.join(batch, stored.as_ref(), &incoming, (record, change));
            if let Some(joined) = joined.await? {
                staged.insert(key, (first, joined));
            }
            return Ok(());
        }
        let before = stored.as_ref().map(|stored| stored.stamp);
        let saw = match before {
            Some(before) => self.saw(before, stamp, record).await?,
            None => None,
        };
        let decision = merge::decide(before, stamp, &record.seen, |_| saw);
        let filling = self.table(change.table).is_some_and(|def| def.filling);
        let forgets = self.lock().planted == Planted::RacesForgotten;
        if let Some(stored) = &stored
            && !filling
            && !forgets
        {
            match decision {
                Decision::ReplaceConcurrent if stored.is_expiry() => {}
                Decision::ReplaceConcurrent => {
                    conflict::stage(batch, change.table, &change.key, &incoming, stored);
                }
                // No write was lost, only the end of one.
                Decision::KeepConcurrent if incoming.is_expiry() => {}
                Decision::KeepConcurrent => {
                    conflict::stage(batch, change.table, &change.key, stored, &incoming);
                }
                Decision::Replace | Decision::Keep => {}
            }
        }
        if decision.replaces() {
            staged.insert(key, (first, incoming));
        }
        Ok(())
    }

    /// Returns how far the stored write had seen the incoming one's origin, where that decides.
    pub(crate) async fn saw(
        &self,
        stored: Stamp,
        incoming: Stamp,
        record: &Record,
    ) -> Result<Option<Seq>, ApplyError> {
        let origin = stored.version.origin;
        let decides = incoming.version < stored.version
            && origin != incoming.version.origin
            && origin != self.inner.region
            && record.seen.at(origin) < stored.seq;
        if !decides {
            return Ok(None);
        }
        let key = layout::log_key(origin, stored.seq);
        let Some(value) = self.inner.store.get(Space::Log, &key).await? else {
            let is_copy =
                stored.seq <= self.begins_of(origin) || self.trimmed(origin).await? < stored.seq;
            // What came as a copy may have seen more than was applied here. Nobody can tell, and
            // the region that was written to has told the race, if it was one.
            return Ok(is_copy.then_some(Seq(u64::MAX)));
        };
        let stored = Record::decode(value).map_err(|_| Damaged("a log record"))?;
        Ok(Some(stored.seen.at(incoming.version.origin)))
    }
}

impl<S> Inner<S> {
    fn note_applied(
        &self,
        origin: RegionId,
        to: Seq,
        items: impl Iterator<Item = (TableId, Bytes)>,
        races: Vec<(TableId, Pair)>,
    ) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        state.applied.advance(origin, to);
        state.note_races(races);
        let told = Self::note_system_changes(&mut state, items);
        drop(state);
        self.note_progress();
        if told {
            self.system_progress.send_modify(|count| *count += 1);
        }
    }

    fn note_flushed(&self, origin: RegionId, to: Seq, hlc: Hlc) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // A flush may be told late, when copies have taken the place of these records.
        if state.durable.at(origin) < to {
            state.note_durable(origin, to, hlc);
        }
        drop(state);
        self.note_progress();
    }
}

impl From<ReadError> for ApplyError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => Self::Store(error),
            ReadError::Damaged(error) => Self::Damaged(error),
        }
    }
}
