//! Item collections: what the items of one partition take, with their entries in local indexes.
//!
//! It limits nothing. A collection is counted when its size is first asked for, and from then on
//! with every change while the region runs; tables without local indexes have none and pay nothing.
//! A change that is on its way while its collection is counted may be missed or count twice: the
//! size is an estimate then, and exact again once it is counted anew.
//! Source: DynamoDB developer guide, "Local secondary indexes" (item collections).

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

use base::name::TableId;
use item::key::KeyValue;
use store::port::{Order, Space, Store, prefix_end};

use crate::def::{IndexDef, TableDef};
use crate::index;
use crate::layout::{self, Stored};
use crate::limits::COLLECTIONS_MAX;
use crate::read::Walk;
use crate::tables::{Damaged, ReadError, Tables};

/// The collections that were counted, by table and partition.
#[derive(Debug, Default)]
pub(crate) struct Collections(BTreeMap<(TableId, Bytes), Counted>);

/// How much a collection takes.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// What it takes; while it is being counted, what changed meanwhile.
    bytes: i64,
    is_whole: bool,
}

impl TableDef {
    /// Returns the table's local indexes.
    pub fn local_indexes(&self) -> impl Iterator<Item = &IndexDef> {
        self.indexes.iter().filter(|index| index.is_local)
    }

    /// Returns whether the table has item collections: those with local indexes have.
    pub fn has_collections(&self) -> bool {
        self.local_indexes().next().is_some()
    }
}

impl<S: Store> Tables<S> {
    /// Returns what an item collection takes by DynamoDB's rule, in bytes.
    pub async fn collection_size(
        &self,
        table: &TableDef,
        partition: &KeyValue,
    ) -> Result<u64, ReadError> {
        let suffix = Bytes::from(layout::partition_suffix(partition));
        let id = (table.id, suffix);
        // While an index is built, its entries come without the changes that are counted.
        let mut local = table.local_indexes();
        let is_built = local.all(|index| {
            let state = self.index_state(table.id, index.id);
            state.is_some_and(|state| state.is_ready)
        });
        let begun = {
            let mut state = self.lock();
            match state.collections.0.get(&id) {
                Some(known) if known.is_whole => return Ok(positive(known.bytes)),
                Some(_) => false,
                None => is_built && state.collections.begin(&id),
            }
        };
        let counting = begun.then(|| Counting {
            tables: self,
            id: &id,
        });
        let walked = self.walk_collection(table, &id.1, partition).await?;
        match counting {
            Some(counting) => Ok(counting.end(walked)),
            None => Ok(positive(walked)),
        }
    }

    async fn walk_collection(
        &self,
        table: &TableDef,
        suffix: &[u8],
        partition: &KeyValue,
    ) -> Result<i64, ReadError> {
        let size_of = |image: &Bytes| index::size(image).ok_or(Damaged("an item"));
        let items = layout::item_key(table.id, suffix);
        let item = |value: Bytes| {
            let image = Stored::decode(value)?.image;
            image.as_ref().map(size_of).transpose()
        };
        let mut total = self.walk_sizes(Space::Items, items, item).await?;
        for local in table.local_indexes() {
            let prefix = layout::index_prefix(table.id, local.id);
            let prefix = index::read::partition_key(prefix, std::slice::from_ref(partition));
            let entry = |image: Bytes| size_of(&image).map(Some);
            total += self.walk_sizes(Space::Indexes, prefix, entry).await?;
        }
        Ok(total)
    }

    /// Adds up the sizes of all rows that begin with `prefix`, a page after the other.
    async fn walk_sizes(
        &self,
        space: Space,
        prefix: Vec<u8>,
        size_of: impl Fn(Bytes) -> Result<Option<u64>, Damaged> + Send + Sync,
    ) -> Result<i64, ReadError> {
        let mut total = 0_i64;
        let mut after = None;
        loop {
            let mut walk = Walk {
                from: Bound::Included(prefix.clone()),
                to: prefix_end(&prefix),
                order: Order::Ascending,
                limit: None,
            };
            if let Some(after) = after {
                walk.go_on_after(after);
            }
            let take = |value| {
                let size = size_of(value)?;
                Ok(size.map(|size| usize::try_from(size).unwrap_or(usize::MAX)))
            };
            let walked = self.walk_rows(space, walk, take).await?;
            total = total.saturating_add(i64::try_from(walked.size).unwrap_or(i64::MAX));
            match walked.full_at {
                Some(last) => after = Some(last.to_vec()),
                None => return Ok(total),
            }
        }
    }
}

impl Collections {
    /// Returns whether none was counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts a change of an item, if its collection was counted or is being so.
    pub(crate) fn count(&mut self, table: TableId, suffix: &[u8], growth: i64) {
        let Ok(key) = layout::decode_suffix(suffix) else {
            return;
        };
        let partition = Bytes::from(layout::partition_suffix(&key.partition));
        if let Some(counted) = self.0.get_mut(&(table, partition)) {
            counted.bytes = counted.bytes.saturating_add(growth);
        }
    }

    /// Forgets the collections of a table, whose entries change without their items.
    pub(crate) fn forget(&mut self, table: TableId) {
        self.0.retain(|(counted, _), _| *counted != table);
    }

    /// Begins to count a collection; where too many are known, all of them are forgotten.
    fn begin(&mut self, id: &(TableId, Bytes)) -> bool {
        if COLLECTIONS_MAX <= self.0.len() {
            self.0.retain(|_, counted| !counted.is_whole);
        }
        let has_room = self.0.len() < COLLECTIONS_MAX;
        if has_room {
            self.0.insert(id.clone(), Counted::default());
        }
        has_room
    }
}

/// A collection that is being counted; it is forgotten unless that comes to an end.
struct Counting<'a, S: Store> {
    tables: &'a Tables<S>,
    id: &'a (TableId, Bytes),
}

impl<S: Store> Counting<'_, S> {
    fn end(self, walked: i64) -> u64 {
        let mut state = self.tables.lock();
        // It was forgotten meanwhile, if it is not there.
        let Some(counted) = state.collections.0.get_mut(self.id) else {
            return positive(walked);
        };
        counted.bytes = counted.bytes.saturating_add(walked);
        counted.is_whole = true;
        positive(counted.bytes)
    }
}

impl<S: Store> Drop for Counting<'_, S> {
    fn drop(&mut self) {
        let known = &mut self.tables.lock().collections.0;
        if known.get(self.id).is_some_and(|counted| !counted.is_whole) {
            known.remove(self.id);
        }
    }
}

fn positive(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or(0)
}

#[cfg(test)]
mod tests;
