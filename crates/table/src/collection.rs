//! Item collections: what the items of one partition take, with their entries in local indexes.
//!
//! It limits nothing. A collection is counted when its size is first asked for, and from then on
//! with every change while the region runs; tables without local indexes have none and pay nothing.
//! Whoever asks waits for no more than one read of each index: a larger collection is counted by
//! whoever drives the region, and unknown until then.
//! A change that is on its way while its collection is counted may be missed or count twice: the
//! size is an estimate then, and exact again once it is counted anew.
//! Source: DynamoDB developer guide, "Local secondary indexes" (item collections).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use base::name::TableId;
use item::key::KeyValue;
use store::port::{Space, Store};

use crate::def::{IndexDef, TableDef};
use crate::index;
use crate::layout::{self, Stored};
use crate::limits::{COLLECTIONS_DUE_MAX, COLLECTIONS_MAX};
use crate::pages::Pages;
use crate::tables::{Damaged, ReadError, Tables};

/// The collections that were counted, by table and partition.
#[derive(Debug, Default)]
pub(crate) struct Collections {
    known: BTreeMap<(TableId, Bytes), Counted>,
    /// Large ones that are to be counted, those that were forgotten meanwhile too.
    due: VecDeque<(TableId, KeyValue)>,
    /// Tells that one more is due.
    deferred: Arc<Notify>,
}

/// How much a collection takes.
#[derive(Clone, Copy, Debug)]
struct Counted {
    /// What it takes; while it is being counted, what changed meanwhile.
    bytes: i64,
    progress: Progress,
}

/// How far the counting of a collection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Whoever asked for it first counts it.
    Asked,
    /// It is too large for that, and waits to be counted or is being so.
    Due,
    Done,
}

/// How much of a collection is read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// A page of its items, and one of each local index.
    Page,
    /// All of it.
    All,
}

/// Returns what a row counts for.
type SizeOf = fn(Bytes) -> Result<u64, Damaged>;

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
    /// Returns what an item collection takes by DynamoDB's rule, in bytes; `None` for a large one
    /// that is not counted yet.
    pub async fn collection_size(
        &self,
        table: &TableDef,
        partition: &KeyValue,
    ) -> Result<Option<u64>, ReadError> {
        let id = id_of(table.id, partition);
        let is_built = self.has_local_entries(table);
        let begun = {
            let mut state = self.lock();
            match state.collections.known.get(&id).copied() {
                Some(known) if known.progress == Progress::Done => {
                    return Ok(Some(positive(known.bytes)));
                }
                Some(known) if known.progress == Progress::Due => return Ok(None),
                Some(_) => false,
                None => is_built && state.collections.begin(&id),
            }
        };
        let counting = begun.then(|| Counting {
            tables: self,
            id: &id,
            progress: Progress::Asked,
        });
        let walked = self.add_up(table, &id.1, partition, Reach::Page).await?;
        Ok(match (counting, walked) {
            (Some(counting), Some(walked)) => Some(counting.end(walked)),
            (Some(_), None) => {
                self.lock().collections.defer(&id, partition);
                None
            }
            (None, walked) => walked.map(positive),
        })
    }

    /// Returns whether the local indexes are complete: while one is built, its entries come without
    /// the changes that are counted.
    fn has_local_entries(&self, table: &TableDef) -> bool {
        table.local_indexes().all(|index| {
            let state = self.index_state(table.id, index.id);
            state.is_some_and(|state| state.is_ready)
        })
    }

    /// Waits until there may be a large collection to count.
    pub async fn collections_due(&self) {
        let deferred = Arc::clone(&self.lock().collections.deferred);
        deferred.notified().await;
    }

    /// Counts every large collection that was asked for, one after another.
    ///
    /// Errors: the first that kept one from being counted; it is counted when it is asked for
    /// again.
    pub async fn count_collections(&self) -> Result<(), ReadError> {
        let mut counted = Ok(());
        loop {
            let due = self.lock().collections.due.pop_front();
            let Some((table, partition)) = due else {
                return counted;
            };
            counted = counted.and(self.count_collection(table, &partition).await);
        }
    }

    async fn count_collection(
        &self,
        table: TableId,
        partition: &KeyValue,
    ) -> Result<(), ReadError> {
        let id = id_of(table, partition);
        if !self.lock().collections.begin_due(&id) {
            return Ok(());
        }
        let counting = Counting {
            tables: self,
            id: &id,
            progress: Progress::Due,
        };
        let table = self.table(table);
        if let Some(table) = table.filter(|table| self.has_local_entries(table)) {
            let walked = self.add_up(&table, &id.1, partition, Reach::All).await?;
            walked.map(|walked| counting.end(walked));
        }
        Ok(())
    }

    /// Adds up a collection, its items and their entries in local indexes, a page after the other;
    /// `None` for one that is larger than is to be read.
    async fn add_up(
        &self,
        table: &TableDef,
        suffix: &[u8],
        partition: &KeyValue,
        reach: Reach,
    ) -> Result<Option<i64>, ReadError> {
        let items = layout::item_key(table.id, suffix);
        let mut parts = vec![(Space::Items, items, size_of_item as SizeOf)];
        parts.extend(table.local_indexes().map(|local| {
            let entries = entries_of(table.id, local, partition);
            (Space::Indexes, entries, size_of_entry as SizeOf)
        }));
        let mut total = 0;
        for (space, prefix, size_of) in parts {
            let mut pages = Pages::with_prefix(&self.inner.store, space, &prefix);
            while let Some(rows) = pages.next().await? {
                if reach == Reach::Page && !pages.is_at_end() {
                    return Ok(None);
                }
                for (_, value) in rows {
                    total += size_of(value)?;
                }
            }
        }
        Ok(Some(i64::try_from(total).unwrap_or(i64::MAX)))
    }
}

impl Collections {
    /// Returns whether none was counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Counts a change of an item, if its collection was counted or is being so.
    pub(crate) fn count(&mut self, table: TableId, suffix: &[u8], growth: i64) {
        let Ok(key) = layout::decode_suffix(suffix) else {
            return;
        };
        let partition = Bytes::from(layout::partition_suffix(&key.partition));
        if let Some(counted) = self.known.get_mut(&(table, partition)) {
            counted.bytes = counted.bytes.saturating_add(growth);
        }
    }

    /// Forgets the collections of a table, whose entries change without their items.
    pub(crate) fn forget(&mut self, table: TableId) {
        self.known.retain(|(counted, _), _| *counted != table);
        self.due.retain(|(due, _)| *due != table);
    }

    /// Begins to count a collection; where too many are known, all of them are forgotten.
    fn begin(&mut self, id: &(TableId, Bytes)) -> bool {
        if COLLECTIONS_MAX <= self.known.len() {
            self.known
                .retain(|_, counted| counted.progress != Progress::Done);
        }
        let has_room = self.known.len() < COLLECTIONS_MAX;
        if has_room {
            let counted = Counted {
                bytes: 0,
                progress: Progress::Asked,
            };
            self.known.insert(id.clone(), counted);
        }
        has_room
    }

    /// Leaves a collection to be counted by whoever drives the region, unless too many are.
    fn defer(&mut self, id: &(TableId, Bytes), partition: &KeyValue) {
        let counted = self.known.get_mut(id);
        let asked = counted.filter(|counted| counted.progress == Progress::Asked);
        if let Some(counted) = asked.filter(|_| self.due.len() < COLLECTIONS_DUE_MAX) {
            counted.progress = Progress::Due;
            self.due.push_back((id.0, partition.clone()));
            self.deferred.notify_one();
        }
    }

    /// Begins to count a collection that was left for that, from nothing; returns whether it is
    /// still wanted.
    fn begin_due(&mut self, id: &(TableId, Bytes)) -> bool {
        let counted = self.known.get_mut(id);
        let due = counted.filter(|counted| counted.progress == Progress::Due);
        due.map(|counted| counted.bytes = 0).is_some()
    }
}

/// A collection that is being counted; it is forgotten unless that comes to an end.
struct Counting<'a, S: Store> {
    tables: &'a Tables<S>,
    id: &'a (TableId, Bytes),
    /// How far it has come as long as it is this that counts it.
    progress: Progress,
}

impl<S: Store> Counting<'_, S> {
    fn end(self, walked: i64) -> u64 {
        let mut state = self.tables.lock();
        // It was forgotten meanwhile, if it is not there.
        let counted = state.collections.known.get_mut(self.id);
        let Some(counted) = counted.filter(|counted| counted.progress == self.progress) else {
            return positive(walked);
        };
        counted.bytes = counted.bytes.saturating_add(walked);
        counted.progress = Progress::Done;
        positive(counted.bytes)
    }
}

impl<S: Store> Drop for Counting<'_, S> {
    fn drop(&mut self) {
        let known = &mut self.tables.lock().collections.known;
        if known
            .get(self.id)
            .is_some_and(|counted| counted.progress == self.progress)
        {
            known.remove(self.id);
        }
    }
}

fn id_of(table: TableId, partition: &KeyValue) -> (TableId, Bytes) {
    (table, Bytes::from(layout::partition_suffix(partition)))
}

/// Returns what the entries of a collection in a local index begin with.
fn entries_of(table: TableId, local: &IndexDef, partition: &KeyValue) -> Vec<u8> {
    let prefix = layout::index_prefix(table, local.id);
    index::read::partition_key(prefix, std::slice::from_ref(partition))
}

/// Returns the size of a stored item; nothing for a tombstone.
fn size_of_item(value: Bytes) -> Result<u64, Damaged> {
    let image = Stored::decode(value)?.image;
    image.map_or(Ok(0), size_of_entry)
}

fn size_of_entry(image: Bytes) -> Result<u64, Damaged> {
    index::size(&image).ok_or(Damaged("an item"))
}

fn positive(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or(0)
}

#[cfg(test)]
mod tests;
