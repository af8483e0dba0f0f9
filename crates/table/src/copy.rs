//! Copies of a table's items, for a replica that is being filled or repaired.
//!
//! Copies are merged by version alone, so their order against the log does not matter.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{AHEAD_MAX, Hlc};
use replica_core::frame::copy::CopyItem;
use store::port::{Batch, Durability, Order, Range, Space, Store, StoreError, prefix_end};

use crate::history::Cause;
use crate::layout::{self, Stored};
use crate::limits::{STEP_BYTES, STEP_ROWS};
use crate::locks::Locks;
use crate::merging;
use crate::state::{self, Staging};
use crate::tables::{Damaged, Inner, ReadError, Tables};

/// Some of a table's items, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyPage {
    /// The items.
    pub items: Vec<CopyItem>,
    /// Where to go on; `None` at the end.
    pub next: Option<Bytes>,
}

impl<S: Store> Tables<S> {
    /// Reads items after a key; with `only`, those whose version that region wrote, and those that
    /// it may have a part in: a tombstone of an item that expired does not say who ended it.
    pub async fn copy_page(
        &self,
        table: TableId,
        after: Option<&[u8]>,
        bytes_max: usize,
        only: Option<RegionId>,
    ) -> Result<CopyPage, ReadError> {
        // Writes by the definition of before are handed in already; this waits until they can be
        // read, so that each is either on this page or in the log.
        self.commit(Batch::default(), Durability::Buffered).await?;
        let prefix = table.0.to_be_bytes();
        let from = match after {
            Some(after) => Bound::Excluded(layout::item_key(table, after)),
            None => Bound::Included(prefix.to_vec()),
        };
        let range = Range {
            space: Space::Items,
            from,
            to: prefix_end(&prefix),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max,
        };
        let rows = self.inner.store.range(range).await?;
        let mut page = CopyPage::default();
        let last = rows.rows.last().map(|(key, _)| key.slice(8..));
        for (key, value) in rows.rows {
            let stored = Stored::decode(value)?;
            let is_shared = stored.merged.is_some() || stored.is_expiry();
            if only.is_none_or(|only| is_shared || stored.stamp.version.origin == only) {
                let Stored {
                    stamp,
                    image,
                    merged,
                    ..
                } = stored;
                page.items.push(CopyItem {
                    key: key.slice(8..),
                    stamp,
                    image,
                    merged,
                });
            }
        }
        page.next = last.filter(|_| rows.more);
        if self.inner.durability == Durability::Buffered {
            // A crash may take what was read, and gives its position again: nobody else may have
            // an item of it.
            self.flushed().await?;
        }
        Ok(page)
    }

    /// Merges copied items: each stays unless a later version is here. Returns once on disk.
    ///
    /// Errors: those of the store, and [`Damaged`] for keys that are none.
    pub async fn merge_copy(&self, table: TableId, items: Vec<CopyItem>) -> Result<(), ReadError> {
        let how = (Batch::default(), Durability::Disk);
        self.merge_items(table, items, how).await
    }

    /// Merges copied items in one batch with what is in that already.
    pub(crate) async fn merge_items(
        &self,
        table: TableId,
        items: Vec<CopyItem>,
        (mut batch, durability): (Batch, Durability),
    ) -> Result<(), ReadError> {
        for item in &items {
            layout::decode_suffix(&item.key).map_err(|_| Damaged("a copied key"))?;
        }
        let keys = items.iter().map(|item| (table, &item.key[..]));
        let needed = Locks::needed(keys);
        let held = self.inner.locks.hold(needed).await;
        // Nobody says when a copied tombstone was recorded: it was before this, by a clock that may
        // be ahead of ours by as much as regions tolerate.
        let ahead = i64::try_from(AHEAD_MAX.as_micros()).unwrap_or(i64::MAX);
        let last = Hlc(self.inner.clock.wall().as_micros()).max(self.lock().clock.last());
        let recorded = Hlc(last.0.saturating_add(ahead));
        let mut found = self.stored_between(table, &items).await?;
        let mut staged = Vec::with_capacity(items.len());
        for item in items {
            let stored = match &mut found {
                Some(found) => found.remove(&item.key),
                None => self.stored(table, &item.key).await?,
            };
            if let Some(taken) = taken(stored.as_ref(), &item, recorded)? {
                staged.push((item.key, stored, taken));
            }
        }
        let now = self.inner.clock.wall();
        let (done, wait) = oneshot::channel();
        {
            let _order = self.in_order();
            let def = self.table(table);
            {
                let mut state = self.lock();
                state.begin(now);
                for (key, old, new) in &staged {
                    let change = Staging {
                        table,
                        def: def.as_deref(),
                        suffix: key,
                        old: old.as_ref(),
                        new: Some(new),
                        cause: Cause::Copied,
                    };
                    state.stage(&mut batch, &change);
                }
            }
            let inner = Arc::clone(&self.inner);
            let completion = move |result: Result<(), StoreError>| {
                if result.is_ok() {
                    let mut state = inner
                        .state
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    let keys = staged.into_iter().map(|(key, _, _)| (table, key));
                    if Inner::<S>::note_system_changes(&mut state, keys) {
                        inner.system_progress.send_modify(|count| *count += 1);
                    }
                }
                drop(held);
                drop(done.send(result));
            };
            self.inner
                .store
                .submit(batch, durability, Box::new(completion));
        }
        Ok(wait.await.unwrap_or(Err(StoreError::Closed))?)
    }

    /// Reads what is stored among some items, whose locks are held, at once: mostly nothing, where
    /// a replica is filled. `None` where there is more than a page of it.
    async fn stored_between(
        &self,
        table: TableId,
        items: &[CopyItem],
    ) -> Result<Option<BTreeMap<Bytes, Stored>>, ReadError> {
        let keys = || items.iter().map(|item| &item.key);
        let (Some(first), Some(last)) = (keys().min(), keys().max()) else {
            return Ok(Some(BTreeMap::new()));
        };
        let range = Range {
            space: Space::Items,
            from: Bound::Included(layout::item_key(table, first)),
            to: Bound::Included(layout::item_key(table, last)),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        let page = self.inner.store.range(range).await?;
        if page.more {
            return Ok(None);
        }
        let decode = |(key, value): (Bytes, Bytes)| Ok((key.slice(8..), Stored::decode(value)?));
        let found = page.rows.into_iter().map(decode);
        Ok(Some(found.collect::<Result<_, Damaged>>()?))
    }
}

/// Returns what is stored of a copied item from now on, where that is not what is `stored`.
fn taken(
    stored: Option<&Stored>,
    item: &CopyItem,
    recorded: Hlc,
) -> Result<Option<Stored>, Damaged> {
    if merging::is_needed(stored, item.merged.as_ref()) {
        let joined = merging::join_copy(stored, item, recorded)?;
        return Ok(Some(joined).filter(|joined| stored != Some(joined)));
    }
    let newer = stored.is_none_or(|stored| stored.stamp.version < item.stamp.version);
    Ok(newer.then(|| {
        let recorded = recorded.max(item.stamp.version.hlc);
        state::stored(item.stamp, item.image.clone(), recorded)
    }))
}
