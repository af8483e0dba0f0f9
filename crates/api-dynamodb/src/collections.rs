//! Item collections of tables with local secondary indexes: how large one may be, and is.
//!
//! It counts none itself: that is `table`'s.
//! Source: DynamoDB developer guide, "Local secondary indexes" (item collection size limit).

use std::sync::Arc;

use base::limits::ITEM_BYTES_MAX;
use item::codec;
use item::key::Key;
use item::value::Item;
use store::port::Store;
use table::def::TableDef;
use table::index;
use table::limit::Limit;
use table::tables::ReadError;
use table::write::{Current, Decide, Effect, Refusal, Written};

use crate::capacity::Side;
use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::fault::Refused;
use crate::wire::render::{self, Object};

impl<S: Store> DynamoDb<S> {
    /// Makes a decision that is held to what its item's collection may take, and to what its table
    /// serves.
    pub(crate) async fn bounded(
        &self,
        open: &Arc<OpenTable>,
        key: &Key,
        side: Side,
        decide: Decide,
    ) -> Result<Decide, Refused> {
        let decide = if open.def.has_collections() {
            self.collected(open, key, decide).await?
        } else {
            decide
        };
        Ok(self.metered(open, side, decide))
    }

    /// Makes a decision that lets its item's collection grow no further than it may.
    ///
    /// Writes that are decided at once may together go beyond it, by no more than they bring; and
    /// so may writes to a large collection whose size is not known yet.
    async fn collected(
        &self,
        open: &Arc<OpenTable>,
        key: &Key,
        decide: Decide,
    ) -> Result<Decide, Refused> {
        let Some(room) = self.collection_room(open, key, 0).await? else {
            return Ok(decide);
        };
        let def = Arc::clone(&open.def);
        Ok(Box::new(move |current| {
            let effect = decide(current)?;
            let growth = growth(&def, current, &effect);
            if 0 < growth && room < growth {
                return Err(Refusal::Limited(Limit::CollectionSize));
            }
            Ok(effect)
        }))
    }

    /// Returns by how much an item's collection may grow, in bytes, below zero where it is too
    /// large; `None` where it has a long way to go, or is a large one of unknown size. `pending`
    /// items are written with this one, before it is known what they bring.
    pub(crate) async fn collection_room(
        &self,
        open: &OpenTable,
        key: &Key,
        pending: u64,
    ) -> Result<Option<i64>, ReadError> {
        let most = self.collection_bytes_max;
        let copies = open.def.local_indexes().map(|_| ITEM_BYTES_MAX.as_u64());
        let written = ITEM_BYTES_MAX.as_u64() + copies.sum::<u64>();
        let written = written.saturating_mul(pending.saturating_add(1));
        if self.all_collections(open).saturating_add(written) <= most {
            return Ok(None);
        }
        let tables = self.control.tables();
        let size = tables.collection_size(&open.def, &key.partition).await?;
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Ok(size.map(|size| signed(most).saturating_sub(signed(size))))
    }

    /// Returns what all collections of a table take: none is larger, and it is known at once.
    fn all_collections(&self, open: &OpenTable) -> u64 {
        let tables = self.control.tables();
        let local = open.def.local_indexes();
        let states = local.filter_map(|index| tables.index_state(open.def.id, index.id));
        let entries: u64 = states.map(|state| state.bytes).sum();
        tables.size(open.def.id).1.saturating_add(entries)
    }

    /// Writes the metrics of the collection that an item belongs to, where it belongs to one.
    pub(crate) async fn collection_metrics(
        &self,
        open: &OpenTable,
        written: &Written,
    ) -> Result<Option<Vec<u8>>, Refused> {
        let image = written.new.as_ref().or(written.old.as_ref());
        let Some(image) = image.filter(|_| open.def.has_collections()) else {
            return Ok(None);
        };
        let item = codec::decode(image)?;
        let schema = &open.def.schema;
        let key = schema.key_of(&item);
        let key = key.map_err(|error| crate::fault::ours(&error))?;
        let tables = self.control.tables();
        let (least, most) = match tables.collection_size(&open.def, &key.partition).await? {
            Some(bytes) => (bytes / GIGABYTE, bytes / GIGABYTE + 1),
            // A large one that is not counted yet is no larger than all of them.
            None => (0, self.all_collections(open) / GIGABYTE + 1),
        };
        let mut shown = Item::new();
        shown.insert(schema.partition.name.clone(), key.partition.to_attribute());
        let mut out = Vec::with_capacity(96);
        let mut metrics = Object::start(&mut out);
        render::tree(metrics.member("ItemCollectionKey"), &shown)?;
        let range = format!("[{least}.0,{most}.0]");
        metrics
            .member("SizeEstimateRangeGB")
            .extend_from_slice(range.as_bytes());
        metrics.end();
        Ok(Some(out))
    }
}

/// Returns by how much a write makes its item's collection larger.
pub(crate) fn growth(def: &TableDef, current: &Current, effect: &Effect) -> i64 {
    let new = effect.image(current);
    index::collection_growth(def, (current.image(), new.as_ref()))
}

/// What a size estimate counts in. 2^30 bytes.
/// Source: DynamoDB developer guide, "Constraints" (all sizes are binary).
const GIGABYTE: u64 = 1 << 30;
