//! Building indexes over items that are there, and removing those that are wanted no more.
//!
//! It runs while its region is written to, and goes on after a crash where it stopped. Whoever
//! drives a region calls [`Tables::settle_indexes`] whenever [`Tables::indexes_due`] says so.

use std::ops::Bound;

use bytes::Bytes;
use tokio::sync::oneshot;

use base::name::TableId;
use store::port::{Batch, Durability, Order, Range, Space, Store, StoreError, prefix_end};

use super::fact::{Fact, Phase, Size};
use super::put;
use crate::def::IndexId;
use crate::layout::{self, Stored, meta};
use crate::limits::{STEP_BYTES, STEP_ROWS};
use crate::locks::{Held, Locks};
use crate::pages::Pages;
use crate::tables::{ReadError, Tables};

/// How far an index has come in this region, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexState {
    /// Whether it is complete.
    pub is_ready: bool,
    /// How many entries it counts.
    pub items: u64,
    /// Their size by DynamoDB's rule, in bytes.
    pub bytes: u64,
}

impl<S: Store> Tables<S> {
    /// Returns how far an index has come here; `None` where the table has none of this number, or
    /// no replica here.
    pub fn index_state(&self, table: TableId, index: IndexId) -> Option<IndexState> {
        let state = self.lock();
        let fact = state.indexes.get(&(table, index))?;
        let (items, bytes) = fact.size();
        Some(IndexState {
            is_ready: fact.is_ready(),
            items,
            bytes,
        })
    }

    /// Returns how many items a table has here, and their size by DynamoDB's rule, in bytes. While
    /// they are being counted it is what was counted so far.
    pub fn size(&self, table: TableId) -> (u64, u64) {
        let state = self.index_state(table, IndexId::ITEMS);
        state.map_or((0, 0), |state| (state.items, state.bytes))
    }

    /// Waits until there may be an index to build or to remove.
    pub async fn indexes_due(&self) {
        self.inner.indexes_due.notified().await;
    }

    /// Builds every index that is not complete, and removes those that are wanted no more.
    /// Returns when there is none left of either.
    ///
    /// Errors: those of the store; calling it again goes on where it stopped.
    pub async fn settle_indexes(&self) -> Result<(), ReadError> {
        let _turn = self.inner.indexing.lock().await;
        while let Some((table, index)) = self.unsettled() {
            let phase = self.phase(table, index);
            match phase {
                Some(Phase::ToClear | Phase::Clearing) => self.clear_index(table, index).await?,
                Some(Phase::Building(cursor)) => self.build_page(table, index, cursor).await?,
                Some(Phase::Ready) | None => {}
            }
        }
        Ok(())
    }

    /// Returns an index that something can be done for: one is built by its definition, which may
    /// come later than what is on disk.
    fn unsettled(&self) -> Option<(TableId, IndexId)> {
        let facts: Vec<_> = {
            let state = self.lock();
            let facts = state.indexes.iter().filter(|(_, fact)| !fact.is_ready());
            let facts = facts.map(|(id, fact)| (*id, matches!(fact.phase, Phase::Building(_))));
            facts.collect()
        };
        let mut facts = facts.into_iter();
        let found = facts.find(|((table, index), built)| !built || self.wants(*table, *index));
        found.map(|(id, _)| id)
    }

    fn phase(&self, table: TableId, index: IndexId) -> Option<Phase> {
        let state = self.lock();
        state
            .indexes
            .get(&(table, index))
            .map(|fact| fact.phase.clone())
    }

    /// Removes an index's entries; then it is to be built, or it is no more.
    async fn clear_index(&self, table: TableId, index: IndexId) -> Result<(), ReadError> {
        if let Some(fact) = self.lock().indexes.get_mut(&(table, index)) {
            fact.phase = Phase::Clearing;
        }
        // What was handed in before the index was to be cleared can be read after this.
        self.commit(Batch::default(), Durability::Buffered).await?;
        let prefix = layout::index_prefix(table, index);
        let mut pages = Pages::with_prefix(&self.inner.store, Space::Indexes, &prefix);
        while let Some(rows) = pages.next().await? {
            let mut batch = Batch::default();
            for (key, _) in rows {
                batch.delete(Space::Indexes, key.to_vec());
            }
            self.commit(batch, Durability::Buffered).await?;
        }
        let mut batch = Batch::default();
        let done = {
            let _order = self.in_order();
            let is_wanted = self.wants(table, index);
            let mut state = self.lock();
            let fact = state.indexes.get(&(table, index));
            if fact.is_none_or(|fact| fact.phase != Phase::Clearing) {
                // It was wanted for a while, and got entries that this has not seen.
                return Ok(());
            }
            if is_wanted {
                let fact = Fact::to_build();
                batch.put(Space::Meta, meta::index(table, index), fact.encode());
                state.indexes.insert((table, index), fact);
            } else {
                batch.delete(Space::Meta, meta::index(table, index));
                state.indexes.remove(&(table, index));
            }
            drop(state);
            self.hand_in(batch, None)
        };
        Ok(done.await.unwrap_or(Err(StoreError::Closed))?)
    }

    /// Adds the entries of some items, which are locked meanwhile, and moves the cursor past them.
    async fn build_page(
        &self,
        table: TableId,
        index: IndexId,
        cursor: Option<Bytes>,
    ) -> Result<(), ReadError> {
        if let Some(fact) = self.lock().indexes.get_mut(&(table, index)) {
            fact.begin_page();
        }
        // Changes are noted from here on; those of before can be read after this.
        self.commit(Batch::default(), Durability::Buffered).await?;
        let prefix = table.0.to_be_bytes();
        let range = Range {
            space: Space::Items,
            from: match &cursor {
                Some(cursor) => Bound::Excluded(layout::item_key(table, cursor)),
                None => Bound::Included(prefix.to_vec()),
            },
            to: prefix_end(&prefix),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        let page = self.inner.store.range(range).await?;
        let seen: Vec<Bytes> = page.rows.iter().map(|(key, _)| key.slice(8..)).collect();
        let next = seen.last().filter(|_| page.more).cloned();
        let needed = Locks::needed(seen.iter().map(|suffix| (table, &suffix[..])));
        let held = self.inner.locks.hold(needed).await;
        let mut found: Vec<(&Bytes, Stored)> = Vec::with_capacity(seen.len());
        for suffix in &seen {
            match self.stored(table, suffix).await {
                Ok(Some(stored)) => found.push((suffix, stored)),
                // One that cannot be read has no entry, and holds up no other: reading it tells.
                Ok(None) | Err(ReadError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let done = {
            let _order = self.in_order();
            let mut batch = Batch::default();
            let Some(def) = self.table(table).filter(|_| self.wants(table, index)) else {
                // It is to be cleared: whoever dropped it has said so.
                return Ok(());
            };
            let mut size = Size::default();
            for (suffix, stored) in &found {
                if let Some(image) = &stored.image {
                    let entry = put(&mut batch, &def, index, suffix, image);
                    size = size.plus(Size::of(entry));
                }
            }
            let mut state = self.lock();
            let fact = state.indexes.get_mut(&(table, index));
            let Some(fact) = fact.filter(|fact| fact.phase == Phase::Building(cursor)) else {
                return Ok(());
            };
            fact.end_page(next, &seen, size);
            batch.put(Space::Meta, meta::index(table, index), fact.encode());
            drop(state);
            self.hand_in(batch, Some(held))
        };
        Ok(done.await.unwrap_or(Err(StoreError::Closed))?)
    }

    /// Returns whether a table has an index, as it is known here.
    fn wants(&self, table: TableId, index: IndexId) -> bool {
        let def = self.table(table);
        def.is_some_and(|def| {
            def.replicas.contains(&self.inner.region) && def.index_ids().any(|id| id == index)
        })
    }

    /// Hands in a batch; locks go with it, so that they are free only when it can be read.
    fn hand_in(
        &self,
        batch: Batch,
        held: Option<Held>,
    ) -> oneshot::Receiver<Result<(), StoreError>> {
        let (done, wait) = oneshot::channel();
        let done = move |result| {
            drop(held);
            drop(done.send(result));
        };
        self.inner
            .store
            .submit(batch, Durability::Buffered, Box::new(done));
        wait
    }
}
