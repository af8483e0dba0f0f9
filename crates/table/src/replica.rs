//! Which replica this region's items of a table belong to, and the removal of an earlier one's.
//!
//! It decides nothing about replicas: control does. A replica that was removed here and made anew
//! may not keep what the earlier one held: its deletes were not sent here meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use bytes::{Buf, Bytes};
use tokio::sync::{RwLock, oneshot};

use base::name::TableId;
use store::port::{Batch, Durability, Space, Store, StoreError};

use crate::history::Cause;
use crate::layout::{self, Stored, meta};
use crate::locks::Locks;
use crate::pages::Pages;
use crate::state::Staging;
use crate::tables::{self, Damaged, ReadError, Tables};

impl<S: Store> Tables<S> {
    /// Forgets a table: late changes of it are ignored. Its items stay until [`Tables::erase`].
    pub fn forget(&self, id: TableId) {
        debug_assert!(!id.is_system(), "system tables stay");
        let order = self.in_order();
        let catalog = self.inner.catalog.write();
        catalog.unwrap_or_else(PoisonError::into_inner).remove(&id);
        let mut batch = Batch::default();
        let mut state = self.lock();
        state.dropped.insert(id);
        state.history.forget(id);
        state.collections.forget(id);
        state.clear_indexes(&mut batch, id, |_| true);
        drop(state);
        self.hand_in_indexes(batch);
        // Last: nothing is owed of a table that is not known.
        self.remit(id, &BTreeSet::new());
        drop(order);
    }

    /// Removes what is left of a table that was forgotten.
    ///
    /// Errors: those of the store; calling it again goes on where it stopped.
    pub async fn erase(&self, id: TableId) -> Result<(), ReadError> {
        let turn = self.turn_of(id);
        let _turn = turn.write().await;
        if self.is_replica(id, self.region()) {
            return Ok(());
        }
        self.remove_items(id).await?;
        self.remove_conflicts(id).await?;
        let mut batch = Batch::default();
        {
            let _order = self.in_order();
            if self.is_replica(id, self.region()) {
                // It is here again, and whoever defined it sees to what is left.
                return Ok(());
            }
            let mut state = self.lock();
            let buckets: Vec<_> = state.digests.range((id, 0)..=(id, u16::MAX)).collect();
            for ((table, bucket), _) in buckets {
                batch.delete(Space::Digests, layout::digest_key(*table, *bucket));
            }
            state.digests.retain(|(table, _), _| *table != id);
            state.unindexed.remove(&id);
            state.races.remove(&id);
            batch.delete(Space::Meta, meta::unindexed(id));
        }
        batch.delete(Space::Meta, meta::replica(id));
        batch.delete(Space::Meta, meta::unbroken(id));
        Ok(self.commit(batch, Durability::Disk).await?)
    }

    /// Makes this region's items of a table those of the replica that was made at `made`: what an
    /// earlier one held is removed. Returns once that is on disk.
    ///
    /// Errors: those of the store; calling it again goes on where it stopped.
    pub async fn claim(&self, id: TableId, made: i64) -> Result<(), ReadError> {
        let turn = self.turn_of(id);
        // Two who claim it at once would remove what has come between them.
        let _turn = turn.write().await;
        if self.claimed_at(id).await? == Some(made) {
            return Ok(());
        }
        self.remove_items(id).await?;
        self.remove_conflicts(id).await?;
        self.adopt(id, made).await
    }

    /// Notes of which tables what is here is, or may be, an earlier replica's: nobody gets it.
    pub fn note_clearing(&self, tables: BTreeSet<TableId>) {
        self.lock().clearing = tables;
    }

    /// Returns whether nothing of a table is stored here, tombstones included.
    ///
    /// Errors: those of the store.
    pub async fn is_empty(&self, id: TableId) -> Result<bool, ReadError> {
        let rows = self.step(Space::Items, &id.0.to_be_bytes()).await?;
        Ok(rows.rows.is_empty())
    }

    /// Notes that this region's items of a table are those of the replica that was made at `made`.
    ///
    /// Errors: those of the store.
    pub async fn adopt(&self, id: TableId, made: i64) -> Result<(), ReadError> {
        let mut batch = Batch::default();
        let made = made.to_be_bytes().to_vec();
        batch.put(Space::Meta, meta::replica(id), made);
        Ok(self.commit(batch, Durability::Disk).await?)
    }

    /// Returns the tables that this region has claimed or adopted, and when their replicas were
    /// made.
    ///
    /// Errors: those of the store.
    pub async fn claimed(&self) -> Result<BTreeMap<TableId, i64>, ReadError> {
        let damaged = |_| Damaged("a replica's identity");
        let mut claimed = BTreeMap::new();
        for (mut id, mut made) in tables::read_meta(&self.inner.store, meta::REPLICA).await? {
            let id = TableId(id.try_get_u64().map_err(damaged)?);
            claimed.insert(id, made.try_get_i64().map_err(damaged)?);
        }
        Ok(claimed)
    }

    /// Returns when the replica was made whose items of a table these are, where that was claimed.
    pub(crate) async fn claimed_at(&self, id: TableId) -> Result<Option<i64>, ReadError> {
        let found = self
            .inner
            .store
            .get(Space::Meta, &meta::replica(id))
            .await?;
        let made = found.map(|mut made| made.try_get_i64()).transpose();
        Ok(made.map_err(|_| Damaged("a replica's identity"))?)
    }

    /// Returns the lock of whose items of a table these are: held for reading, that stays.
    pub(crate) fn turn_of(&self, id: TableId) -> Arc<RwLock<()>> {
        let claims = self.inner.claims.lock();
        let mut claims = claims.unwrap_or_else(PoisonError::into_inner);
        // Those that nobody holds are as good as none.
        claims.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(claims.entry(id).or_default())
    }

    /// Removes a table's items, each under its lock, so that digests stay right whatever is
    /// written meanwhile.
    pub(crate) async fn remove_items(&self, id: TableId) -> Result<(), ReadError> {
        // First: whoever is stopped half-way may not go on behind what is gone.
        let mut batch = Batch::default();
        for source in self.members() {
            batch.delete(Space::Meta, meta::filled(id, *source));
        }
        self.commit(batch, Durability::Buffered).await?;
        let prefix = id.0.to_be_bytes();
        let mut pages = Pages::with_prefix(&self.inner.store, Space::Items, &prefix);
        while let Some(rows) = pages.next().await? {
            let suffixes: Vec<Bytes> = rows.iter().map(|(key, _)| key.slice(8..)).collect();
            if !suffixes.is_empty() {
                self.remove_page(id, suffixes).await?;
            }
        }
        Ok(())
    }

    async fn remove_page(&self, id: TableId, suffixes: Vec<Bytes>) -> Result<(), ReadError> {
        let needed = Locks::needed(suffixes.iter().map(|suffix| (id, &suffix[..])));
        let held = self.inner.locks.hold(needed).await;
        let mut found: Vec<(Bytes, Stored)> = Vec::with_capacity(suffixes.len());
        for suffix in suffixes {
            if let Some(stored) = self.stored(id, &suffix).await? {
                found.push((suffix, stored));
            }
        }
        let now = self.inner.clock.wall();
        let (done, wait) = oneshot::channel();
        {
            let _order = self.in_order();
            let mut batch = Batch::default();
            self.lock().begin(now);
            for (suffix, stored) in &found {
                let def = self.table(id);
                let change = Staging {
                    table: id,
                    def: def.as_deref(),
                    suffix,
                    old: Some(stored),
                    new: None,
                    cause: Cause::Removed,
                };
                self.lock().stage(&mut batch, &change);
            }
            let completion = move |result: Result<(), StoreError>| {
                drop(held);
                drop(done.send(result));
            };
            self.inner
                .store
                .submit(batch, Durability::Buffered, Box::new(completion));
        }
        Ok(wait.await.unwrap_or(Err(StoreError::Closed))?)
    }

    async fn remove_conflicts(&self, id: TableId) -> Result<(), ReadError> {
        let prefix = id.0.to_be_bytes();
        loop {
            let page = self.step(Space::Conflicts, &prefix).await?;
            let mut batch = Batch::default();
            page.rows
                .into_iter()
                .for_each(|(key, _)| batch.delete(Space::Conflicts, key.to_vec()));
            self.commit(batch, Durability::Buffered).await?;
            if !page.more {
                return Ok(());
            }
        }
    }
}
