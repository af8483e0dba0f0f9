//! Secondary indexes: the entries that follow a change of an item, in the same batch.
//!
//! It decides nothing about which indexes a table has. An entry's value is what it holds of the
//! item, encoded as an item, so that a query reads one range; an item that lacks a key attribute
//! of an index, or has it with another type, has no entry there. What no one changed is not
//! written: an entry without a version stays as it is while other attributes change.
//! Source: DynamoDB developer guide, "Improving data access with secondary indexes".

use bytes::{BufMut, Bytes};

use base::name::TableId;
use item::codec;
use item::key::{KeyAttribute, KeyKind, KeyRole, KeyValue, encode_sort};
use item::value::Item;
use item::view::{ItemRef, ValueRef};
use store::port::{Batch, Space};

use crate::def::{ExpiryDef, IndexDef, IndexId, TableDef};
use crate::layout::{self, meta};
use crate::state::{Staging, State};

use fact::Fact;

pub(crate) mod fact;

pub mod build;

pub mod read;

/// An entry of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: Vec<u8>,
    /// What it holds of the item.
    image: Bytes,
}

/// An item's old and new image, either of which may not be.
type Images<'a> = (Option<&'a Bytes>, Option<&'a Bytes>);

/// Adds to a batch what a change of an item changes in its table's indexes.
pub(crate) fn stage(state: &mut State, batch: &mut Batch, def: &TableDef, change: &Staging<'_>) {
    let (table, suffix) = (change.table, change.suffix);
    let old = change.old.and_then(|stored| stored.image.as_ref());
    let new = change.new.and_then(|stored| stored.image.as_ref());
    if old.is_none() && new.is_none() {
        return;
    }
    let sizes = (old.and_then(size), new.and_then(size));
    count(state, batch, (table, IndexId::ITEMS), suffix, sizes);
    let mut collection = growth(sizes);
    for index in &def.indexes {
        let (old, new) = entries(def, index, suffix, (old, new));
        let sizes = (
            old.as_ref().and_then(|entry| size(&entry.image)),
            new.as_ref().and_then(|entry| size(&entry.image)),
        );
        replace(batch, old, new);
        count(state, batch, (table, index.id), suffix, sizes);
        if index.is_local {
            collection += growth(sizes);
        }
    }
    if collection != 0 && !state.collections.is_empty() && def.has_collections() {
        state.collections.count(table, suffix, collection);
    }
    if let Some(expiry) = &def.expiry {
        let entry = |image: &Bytes| expiry_entry(table, expiry, suffix, image);
        replace(batch, old.and_then(entry), new.and_then(entry));
    }
}

/// Returns by how much a change of size makes something larger.
fn growth((old, new): (Option<u64>, Option<u64>)) -> i64 {
    let bytes = |size: Option<u64>| i64::try_from(size.unwrap_or(0)).unwrap_or(i64::MAX);
    bytes(new) - bytes(old)
}

/// What a change of an item changes in an index, for those who count what it costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryChange {
    /// The size of an entry that is removed, in bytes by DynamoDB's rule.
    pub removed: Option<u64>,
    /// The size of an entry that is put, or of the larger one where it is replaced.
    pub put: Option<u64>,
}

/// Returns what a change of an item, given as its encoded images, changes in an index.
pub fn change(
    def: &TableDef,
    index: &IndexDef,
    old: Option<&Bytes>,
    new: Option<&Bytes>,
) -> EntryChange {
    // The item's key ends both entries' keys alike.
    let (old, new) = entries(def, index, &[], (old, new));
    if old == new {
        return EntryChange::default();
    }
    let bytes = |entry: &Entry| size(&entry.image);
    let (removed, put) = (old.as_ref().and_then(bytes), new.as_ref().and_then(bytes));
    match (old, new) {
        (Some(old), Some(new)) if old.key == new.key => EntryChange {
            removed: None,
            put: removed.max(put),
        },
        (_, _) => EntryChange { removed, put },
    }
}

/// Returns by how much a change of an item, given as its encoded images, makes its item collection
/// larger: the item, and its entries in local indexes.
///
/// Units: bytes by DynamoDB's rule.
pub fn collection_growth(def: &TableDef, (old, new): (Option<&Bytes>, Option<&Bytes>)) -> i64 {
    let bytes = |image: &Bytes| size(image).and_then(|size| i64::try_from(size).ok());
    let held = |image: Option<&Bytes>| -> i64 {
        let Some(image) = image else {
            return 0;
        };
        let entries = def.local_indexes().filter_map(|index| {
            let entry = entry(def, index, &[], image)?;
            bytes(&entry.image)
        });
        bytes(image).unwrap_or(0) + entries.sum::<i64>()
    };
    held(new) - held(old)
}

/// Adds the entry of an item in one index to a batch, be it there or not. Returns the size that
/// the index counts for it.
fn put(
    batch: &mut Batch,
    def: &TableDef,
    id: IndexId,
    suffix: &[u8],
    image: &Bytes,
) -> Option<u64> {
    if id == IndexId::ITEMS {
        return size(image);
    }
    let entry = match (def.index(id), &def.expiry) {
        (Some(index), _) => entry(def, index, suffix, image),
        (None, Some(expiry)) if expiry.id == id => expiry_entry(def.id, expiry, suffix, image),
        (None, _) => None,
    }?;
    let bytes = size(&entry.image);
    batch.put(Space::Indexes, entry.key, entry.image);
    bytes
}

fn entries(
    def: &TableDef,
    index: &IndexDef,
    suffix: &[u8],
    (old, new): Images<'_>,
) -> (Option<Entry>, Option<Entry>) {
    let entry = |image: &Bytes| entry(def, index, suffix, image);
    (old.and_then(entry), new.and_then(entry))
}

/// Adds the difference of two entries to a batch.
fn replace(batch: &mut Batch, old: Option<Entry>, new: Option<Entry>) {
    if old == new {
        return;
    }
    if let Some(old) = old
        && new.as_ref().is_none_or(|new| new.key != old.key)
    {
        batch.delete(Space::Indexes, old.key);
    }
    if let Some(new) = new {
        batch.put(Space::Indexes, new.key, new.image);
    }
}

/// Counts a change of an item towards the size of an index, once the index has come that far.
fn count(
    state: &mut State,
    batch: &mut Batch,
    id: (TableId, IndexId),
    suffix: &[u8],
    (old, new): (Option<u64>, Option<u64>),
) {
    if old == new {
        return;
    }
    let Some(fact) = state.indexes.get_mut(&id) else {
        return;
    };
    if fact.count(suffix, old, new) {
        batch.put(Space::Meta, meta::index(id.0, id.1), fact.encode());
    }
}

/// Returns an item's entry in an index, if it has one there.
fn entry(def: &TableDef, index: &IndexDef, suffix: &[u8], image: &Bytes) -> Option<Entry> {
    let item = ItemRef::parse(image).ok()?;
    let value = |key: &KeyAttribute, role| key_value(&item, key, role);
    let values = |keys: &[KeyAttribute], role: KeyRole| {
        let values = keys.iter().map(|key| value(key, role));
        let values = values.collect::<Option<Vec<_>>>()?;
        role.fits(&values).then_some(values)
    };
    let partition = values(&index.partition, KeyRole::Partition)?;
    let sort = values(&index.sort, KeyRole::Sort)?;
    let mut key = read::partition_key(layout::index_prefix(def.id, index.id), &partition);
    for sort in &sort {
        key.extend_from_slice(&encode_sort(sort));
    }
    key.extend_from_slice(suffix);
    let image = if index.holds_all() {
        image.clone()
    } else {
        let mut held = Item::new();
        for entry in &item {
            let (name, value) = entry.ok()?;
            if index.holds(name) {
                held.insert(name.to_owned(), value.to_value().ok()?);
            }
        }
        codec::encode(&held).into()
    };
    Some(Entry { key, image })
}

/// Returns an item's value of a key attribute, if it is one.
fn key_value(item: &ItemRef<'_>, key: &KeyAttribute, role: KeyRole) -> Option<KeyValue> {
    let value = item.get(&key.name).ok()??;
    let fits = matches!(
        (&value, key.kind),
        (ValueRef::S(_), KeyKind::S) | (ValueRef::N(_), KeyKind::N) | (ValueRef::B(_), KeyKind::B)
    );
    let value = fits.then(|| value.to_value().ok())??;
    key.value_of(&value, role).ok()
}

/// Returns an item's place among those that expire, if it says when it does.
fn expiry_entry(table: TableId, expiry: &ExpiryDef, suffix: &[u8], image: &Bytes) -> Option<Entry> {
    let seconds = expires(image, &expiry.attribute)?;
    let mut key = layout::index_prefix(table, expiry.id);
    key.put_u64(seconds);
    key.extend_from_slice(suffix);
    let image = Bytes::new();
    Some(Entry { key, image })
}

/// Returns when an item expires, in seconds since 1970: a whole number that is not negative.
pub(crate) fn expires(image: &[u8], attribute: &str) -> Option<u64> {
    match ItemRef::parse(image).ok()?.get(attribute).ok()?? {
        ValueRef::N(number) => u64::try_from(number.to_number().to_i64()?).ok(),
        ValueRef::S(_)
        | ValueRef::B(_)
        | ValueRef::Bool(_)
        | ValueRef::Null
        | ValueRef::M(_)
        | ValueRef::L(_)
        | ValueRef::Ss(_)
        | ValueRef::Ns(_)
        | ValueRef::Bs(_) => None,
    }
}

/// Returns an item's size by DynamoDB's rule, in bytes.
pub(crate) fn size(image: &Bytes) -> Option<u64> {
    let bytes = ItemRef::parse(image).ok()?.size().ok()?;
    u64::try_from(bytes).ok()
}

impl State {
    /// Brings the indexes that are known in line with a table's definition: what is missing is to
    /// be built, what is surplus to be removed. Returns what is to be stored of that.
    pub(crate) fn follow_indexes(&mut self, def: &TableDef) -> Batch {
        let mut batch = Batch::default();
        let missed = self.unindexed.remove(&def.id);
        if missed {
            self.collections.forget(def.id);
            batch.delete(Space::Meta, meta::unindexed(def.id));
        }
        let wanted: Vec<IndexId> = def.index_ids().collect();
        for id in &wanted {
            let fact = match self.indexes.get(&(def.id, *id)) {
                Some(_) if missed => Fact::to_clear(),
                Some(_) => continue,
                None if self.holds_items(def.id) => Fact::to_clear(),
                None => Fact::of_nothing(),
            };
            batch.put(Space::Meta, meta::index(def.id, *id), fact.encode());
            self.indexes.insert((def.id, *id), fact);
        }
        self.clear_indexes(&mut batch, def.id, |id| !wanted.contains(&id));
        batch
    }

    /// Marks indexes of a table to be cleared.
    pub(crate) fn clear_indexes(
        &mut self,
        batch: &mut Batch,
        table: TableId,
        which: impl Fn(IndexId) -> bool,
    ) {
        let range = (table, IndexId::ITEMS)..=(table, IndexId(u64::MAX));
        for ((_, id), fact) in self.indexes.range_mut(range) {
            if which(*id) && !fact.is_to_clear() {
                self.collections.forget(table);
                *fact = Fact::to_clear();
                batch.put(Space::Meta, meta::index(table, *id), fact.encode());
            }
        }
    }

    /// Marks a table whose items change while it is not known here which indexes it has.
    pub(crate) fn note_unindexed(&mut self, batch: &mut Batch, table: TableId) {
        if self.unindexed.insert(table) {
            batch.put(Space::Meta, meta::unindexed(table), Bytes::new());
        }
    }

    /// Returns whether there is an item of a table, of all that was handed in.
    fn holds_items(&self, table: TableId) -> bool {
        let mut digests = self.digests.range((table, 0)..=(table, u16::MAX));
        digests.any(|(_, digest)| digest.0 != 0)
    }
}

#[cfg(test)]
mod tests;
