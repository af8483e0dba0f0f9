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
use table::index;
use table::limit::Limit;
use table::write::{Decide, Refusal, Written};

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
        let most = self.collection_bytes_max;
        let tables = self.control.tables();
        let copies = open.def.local_indexes().map(|_| ITEM_BYTES_MAX.as_u64());
        let written = ITEM_BYTES_MAX.as_u64() + copies.sum::<u64>();
        if self.all_collections(open).saturating_add(written) <= most {
            return Ok(decide);
        }
        let size = tables.collection_size(&open.def, &key.partition).await?;
        let Some(size) = size else {
            return Ok(decide);
        };
        let def = Arc::clone(&open.def);
        Ok(Box::new(move |current| {
            let effect = decide(current)?;
            let new = effect.image(current);
            let growth = index::collection_growth(&def, (current.image(), new.as_ref()));
            match u64::try_from(growth) {
                Ok(growth) if growth > 0 && most < size.saturating_add(growth) => {
                    Err(Refusal::Limited(Limit::CollectionSize))
                }
                Ok(_) | Err(_) => Ok(effect),
            }
        }))
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

/// What a size estimate counts in. 2^30 bytes.
/// Source: DynamoDB developer guide, "Constraints" (all sizes are binary).
const GIGABYTE: u64 = 1 << 30;
