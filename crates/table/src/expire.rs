//! Expiry: items are deleted soon after the time that they carry.
//!
//! It waits for nothing: whoever drives a region calls [`Tables::expire`] again and again. An item
//! that expires is deleted as of the write that it ends, so that no other write loses to that: its
//! tombstone has that write's region and position, and its stamp and one microsecond, which no
//! write has. So it is the same in whatever region the item ends, and comes right after the write
//! in the order of versions. Only the record of it has a stamp of its time, since positions,
//! promises and the collection of tombstones go by that. Source: DynamoDB developer guide, "Using
//! time to live (TTL)".

use std::ops::Bound;
use std::sync::Arc;

use bytes::{BufMut, Bytes};

use base::name::TableId;
use clock::hlc::Version;
use clock::time::WallTime;
use replica_core::digest::Digest;
use store::port::{Order, Range, Space, Store};

use crate::def::{ExpiryDef, TableDef};
use crate::history::Cause;
use crate::index;
use crate::layout::{self, INDEX_PREFIX_BYTES, Stored};
use crate::limits::{
    DAMAGED_TOLD_MAX, EXPIRY_GRACE_SECS, EXPIRY_ITEMS, EXPIRY_PAGES, EXPIRY_SECS_MAX, STEP_BYTES,
};
use crate::locks::Locks;
use crate::merging::Merging;
use crate::tables::{ReadError, Tables};
use crate::write::{Decided, WriteError};

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// How many items it deleted.
    pub items: usize,
    /// Whether more have expired by now than one sweep deletes.
    pub more: bool,
    /// Items that cannot be read, and so are left; not more than `DAMAGED_TOLD_MAX` of them.
    pub damaged: Vec<DamagedItem>,
}

/// An item that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DamagedItem {
    /// Its table.
    pub table: TableId,
    /// A digest of its key: keys themselves are users' data, which logs have nothing of.
    pub key: Digest,
}

impl Expired {
    /// Tells of one item, by its key or by what should have one.
    fn damaged(table: TableId, key: &[u8]) -> Self {
        let mut digest = Digest::default();
        digest.add(key, Version::default(), &[]);
        let key = digest;
        Self {
            damaged: vec![DamagedItem { table, key }],
            ..Self::default()
        }
    }

    fn add(&mut self, part: Self) {
        self.items += part.items;
        self.more |= part.more;
        let room = DAMAGED_TOLD_MAX - self.damaged.len();
        self.damaged.extend(part.damaged.into_iter().take(room));
    }
}

impl<S: Store> Tables<S> {
    /// Deletes some of the items that have expired by `now`, of every table.
    ///
    /// What another region wrote is left to that region for a few seconds, so that mostly one of
    /// them deletes an item; where several do, the result is the same.
    ///
    /// Errors: those of writing; what was not deleted is found the next time.
    pub async fn expire(&self, now: WallTime) -> Result<Expired, WriteError> {
        let mut expired = Expired::default();
        for def in self.defs() {
            let is_here = def.replicas.contains(&self.inner.region) && !def.filling;
            if let Some(expiry) = def.expiry.as_ref().filter(|_| is_here) {
                let of_table = self.expire_in(&def, expiry, now).await?;
                expired.add(of_table);
            }
        }
        Ok(expired)
    }

    async fn expire_in(
        &self,
        def: &Arc<TableDef>,
        expiry: &ExpiryDef,
        now: WallTime,
    ) -> Result<Expired, WriteError> {
        let until = u64::try_from(now.as_micros())
            .unwrap_or(0)
            .div_ceil(1_000_000);
        let edge = |seconds: u64| {
            let mut key = layout::index_prefix(def.id, expiry.id);
            key.put_u64(seconds);
            key
        };
        let mut from = Bound::Included(edge(until.saturating_sub(EXPIRY_SECS_MAX)));
        let mut expired = Expired::default();
        for _ in 0..EXPIRY_PAGES {
            let range = Range {
                space: Space::Indexes,
                from,
                to: Bound::Excluded(edge(until)),
                order: Order::Ascending,
                rows_max: EXPIRY_ITEMS,
                bytes_max: STEP_BYTES,
            };
            let page = self
                .inner
                .store
                .range(range)
                .await
                .map_err(ReadError::from)?;
            let last = page.rows.last().map(|(key, _)| key.to_vec());
            let mut suffixes = Vec::with_capacity(page.rows.len());
            for (key, _) in page.rows {
                match item_of(&key) {
                    Some(suffix) => suffixes.push(suffix),
                    // It names no item; those behind it expire all the same.
                    None => expired.add(Expired::damaged(def.id, &key)),
                }
            }
            let of_page = self.expire_page(def, expiry, now, suffixes).await?;
            expired.add(of_page);
            if EXPIRY_ITEMS <= expired.items {
                expired.more = true;
                return Ok(expired);
            }
            match last.filter(|_| page.more) {
                Some(last) => from = Bound::Excluded(last),
                None => return Ok(expired),
            }
        }
        // What is left to other regions fills the pages, for as long as they are given.
        Ok(expired)
    }

    /// Deletes those of some items that have expired, as they are while they are locked.
    async fn expire_page(
        &self,
        def: &Arc<TableDef>,
        expiry: &ExpiryDef,
        now: WallTime,
        suffixes: Vec<Bytes>,
    ) -> Result<Expired, WriteError> {
        let needed = Locks::needed(suffixes.iter().map(|suffix| (def.id, &suffix[..])));
        let held = self.inner.locks.hold(needed).await;
        let mut decided = Vec::with_capacity(suffixes.len());
        let mut expired = Expired::default();
        for suffix in suffixes {
            let stored = match self.stored(def.id, &suffix).await {
                Ok(stored) => stored,
                // The items behind it expire all the same.
                Err(ReadError::Damaged(_)) => {
                    expired.add(Expired::damaged(def.id, &suffix));
                    continue;
                }
                Err(ReadError::Store(error)) => return Err(error.into()),
            };
            if let Some(stored) = stored.filter(|stored| self.has_expired(stored, expiry, now)) {
                let Ok(merging) = Merging::of_expiry(def, &stored, self.inner.region) else {
                    expired.add(Expired::damaged(def.id, &suffix));
                    continue;
                };
                decided.push(Decided {
                    table: Arc::clone(def),
                    suffix,
                    old: Some(stored),
                    new: None,
                    changes: true,
                    cause: Cause::Expiry,
                    merging,
                });
            }
        }
        expired.items = decided.len();
        if expired.items > 0 {
            self.commit_decided(decided, None, held).await?;
        }
        Ok(expired)
    }

    fn has_expired(&self, stored: &Stored, expiry: &ExpiryDef, now: WallTime) -> bool {
        let image = stored.image.as_deref();
        let Some(seconds) = image.and_then(|image| index::expires(image, &expiry.attribute)) else {
            return false;
        };
        let is_ours = stored.stamp.version.origin == self.inner.region;
        let grace = if is_ours { 0 } else { EXPIRY_GRACE_SECS };
        let now = u64::try_from(now.as_micros()).unwrap_or(0);
        let end = seconds.saturating_add(grace).saturating_mul(1_000_000);
        let age_max = EXPIRY_SECS_MAX.saturating_mul(1_000_000);
        end < now && now - end <= age_max
    }
}

/// Returns the item's key out of an entry's; nothing where the entry has none.
fn item_of(key: &Bytes) -> Option<Bytes> {
    let suffix = INDEX_PREFIX_BYTES + 8;
    (suffix < key.len()).then(|| key.slice(suffix..))
}

#[cfg(test)]
mod tests;
