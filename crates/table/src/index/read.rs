//! Reads of an index: a partition's range, or the whole index in segments.
//!
//! It filters and projects nothing, and it reads no item: what an entry holds of one comes as it
//! is stored, for the caller to render. An entry is written in the batch of its item's change, so
//! what was acknowledged is found here at once.

use std::ops::Bound;
use std::sync::Arc;

use bytes::{BufMut, Bytes};

use item::key::{Key, KeyValue, encode_partition, encode_sort, partition_hash};
use store::port::{Order, Space, Store, prefix_end};

use crate::def::{IndexId, TableDef};
use crate::layout;
use crate::read::{self, Walk};
use crate::tables::{Damaged, ReadError, Tables};

/// A part of one partition of an index.
#[derive(Clone, Debug)]
pub struct IndexQuery {
    /// The table.
    pub table: Arc<TableDef>,
    /// The index, one of the table's.
    pub index: IndexId,
    /// The partition, a value for each attribute of its key.
    pub partition: Vec<KeyValue>,
    /// Lower bound of the sort key, its values encoded one after another by `item::key`.
    pub from: Bound<Vec<u8>>,
    /// Upper bound of the sort key, in the same form.
    pub to: Bound<Vec<u8>>,
    /// From which end to read.
    pub order: Order,
    /// Go on after this entry.
    pub after: Option<Place>,
    /// Most entries to read.
    pub limit: Option<usize>,
}

/// A part of an index.
#[derive(Clone, Debug)]
pub struct IndexScan {
    /// The table.
    pub table: Arc<TableDef>,
    /// The index, one of the table's.
    pub index: IndexId,
    /// Which of how many segments, from 0.
    pub segment: (u32, u32),
    /// Go on after this entry.
    pub after: Option<Place>,
    /// Most entries to read.
    pub limit: Option<usize>,
}

/// Where an entry stands in an index. No entry needs to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The values of the index's partition key.
    pub partition: Vec<KeyValue>,
    /// The values of its sort key.
    pub sort: Vec<KeyValue>,
    /// The key of the item.
    pub key: Key,
}

/// Entries of a range.
#[derive(Clone, Debug, Default)]
pub struct IndexPage {
    /// What they hold of their items, encoded as items, in the order asked for.
    pub images: Vec<Bytes>,
    /// Whether the range goes on after the last one.
    pub more: bool,
    /// Their size by DynamoDB's rule, in bytes.
    pub size: usize,
}

impl<S: Store> Tables<S> {
    /// Keeps what the indexes hold at this moment.
    pub fn past(&self) -> S::Past {
        self.inner.store.past()
    }

    /// Reads entries of one partition of an index, in the order of their sort keys.
    pub async fn query_index(&self, query: &IndexQuery) -> Result<IndexPage, ReadError> {
        self.query_index_of(query, None).await
    }

    /// Reads entries of one partition of an index as they were in the past, where one is given.
    pub async fn query_index_of(
        &self,
        query: &IndexQuery,
        past: Option<&S::Past>,
    ) -> Result<IndexPage, ReadError> {
        let prefix = layout::index_prefix(query.table.id, query.index);
        let partition = partition_key(prefix, &query.partition);
        let end = prefix_end(&partition);
        let bound = |bound: &Bound<Vec<u8>>| {
            bound
                .as_ref()
                .map(|sort| [&partition[..], &sort[..]].concat())
        };
        // An item's key follows the sort key: what is at a bound is a prefix there.
        let from = match bound(&query.from) {
            Bound::Unbounded => Bound::Included(partition.clone()),
            Bound::Included(from) => Bound::Included(from),
            Bound::Excluded(from) => match prefix_end(&from) {
                Bound::Excluded(from) | Bound::Included(from) => Bound::Included(from),
                Bound::Unbounded => return Ok(IndexPage::default()),
            },
        };
        let to = match bound(&query.to) {
            Bound::Unbounded => end,
            Bound::Included(to) => prefix_end(&to),
            Bound::Excluded(to) => Bound::Excluded(to),
        };
        let walk = Walk {
            from,
            to,
            order: query.order,
            limit: query.limit,
        };
        let id = (query.table.id, query.index);
        let after = query.after.as_ref().map(|place| place.encode(id));
        self.walk_index(walk, after, past).await
    }

    /// Reads entries of an index's segment, in the order of their partitions' hashes.
    pub async fn scan_index(&self, scan: &IndexScan) -> Result<IndexPage, ReadError> {
        self.scan_index_of(scan, None).await
    }

    /// Reads entries of an index's segment as they were in the past, where one is given.
    pub async fn scan_index_of(
        &self,
        scan: &IndexScan,
        past: Option<&S::Past>,
    ) -> Result<IndexPage, ReadError> {
        let prefix = layout::index_prefix(scan.table.id, scan.index);
        let Some((from, to)) = read::segment(&prefix, scan.segment) else {
            return Ok(IndexPage::default());
        };
        let walk = Walk {
            from,
            to,
            order: Order::Ascending,
            limit: scan.limit,
        };
        let id = (scan.table.id, scan.index);
        let after = scan.after.as_ref().map(|place| place.encode(id));
        self.walk_index(walk, after, past).await
    }

    async fn walk_index(
        &self,
        mut walk: Walk,
        after: Option<Vec<u8>>,
        past: Option<&S::Past>,
    ) -> Result<IndexPage, ReadError> {
        if let Some(after) = after {
            walk.go_on_after(after);
        }
        let mut images = Vec::new();
        let take = |image: Bytes| {
            let size = super::size(&image).ok_or(Damaged("an entry of an index"))?;
            images.push(image);
            Ok(Some(usize::try_from(size).unwrap_or(usize::MAX)))
        };
        let walked = match past {
            None => self.walk_rows(Space::Indexes, walk, take).await?,
            Some(past) => read::walk_rows(past, Space::Indexes, walk, take).await?,
        };
        Ok(IndexPage {
            images,
            more: walked.full_at.is_some(),
            size: walked.size,
        })
    }
}

impl Place {
    fn encode(&self, (table, index): (base::name::TableId, IndexId)) -> Vec<u8> {
        let mut key = partition_key(layout::index_prefix(table, index), &self.partition);
        for sort in &self.sort {
            key.extend_from_slice(&encode_sort(sort));
        }
        key.extend_from_slice(&layout::item_suffix(&self.key));
        key
    }
}

/// Returns what the entries of a partition begin with.
pub(crate) fn partition_key(mut prefix: Vec<u8>, values: &[KeyValue]) -> Vec<u8> {
    let encoded: Vec<u8> = values.iter().flat_map(encode_partition).collect();
    prefix.put_u16(partition_hash(&encoded));
    prefix.extend_from_slice(&encoded);
    prefix
}
