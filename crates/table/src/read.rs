//! Reads: one item, a partition's range, a whole table in segments.
//!
//! It filters and projects nothing; images come as stored, for the caller to render.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use bytes::Bytes;

use item::key::{Key, KeyValue};
use item::view::ItemRef;
use replica_core::merge::Stamp;
use store::port::{Order, Range, Rowed, Rows, Space, Store, StoreError, prefix_end};

use crate::def::TableDef;
use crate::layout::{self, Stored};
use crate::limits::{STEP_BYTES, STEP_ROWS};
use crate::tables::{Damaged, ReadError, Tables};

/// A part of one partition.
#[derive(Clone, Debug)]
pub struct Query {
    /// The table.
    pub table: Arc<TableDef>,
    /// The partition.
    pub partition: KeyValue,
    /// Lower bound of the sort key, encoded by `item::key`.
    pub from: Bound<Vec<u8>>,
    /// Upper bound of the sort key, encoded by `item::key`.
    pub to: Bound<Vec<u8>>,
    /// From which end to read.
    pub order: Order,
    /// Go on after this key.
    pub after: Option<Key>,
    /// Most items to read.
    pub limit: Option<usize>,
}

/// A part of a table.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The table.
    pub table: Arc<TableDef>,
    /// Which of how many segments, from 0.
    pub segment: (u32, u32),
    /// Go on after this key.
    pub after: Option<Key>,
    /// Most items to read.
    pub limit: Option<usize>,
}

/// An item that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The encoded item.
    pub image: Bytes,
    /// Its version.
    pub stamp: Stamp,
}

/// Items of a range.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The items, in the order asked for.
    pub rows: Vec<Row>,
    /// Where to go on; `None` at the end of the range.
    pub last: Option<Key>,
    /// The size of the items by DynamoDB's rule, in bytes.
    pub size: usize,
}

/// A page ends with the item that reaches this size. 1 MiB.
/// Source: DynamoDB API reference, `Query`.
pub const PAGE_BYTES_MAX: usize = 1 << 20;

impl<S: Store> Tables<S> {
    /// Reads one item.
    pub async fn get(&self, table: &TableDef, key: &Key) -> Result<Option<Row>, ReadError> {
        let stored = self.stored(table.id, &layout::item_suffix(key)).await?;
        Ok(stored.and_then(row))
    }

    /// Reads items of one partition, in the order of their sort keys.
    pub async fn query(&self, query: &Query) -> Result<Page, ReadError> {
        let partition =
            layout::item_key(query.table.id, &layout::partition_suffix(&query.partition));
        let bound = |bound: &Bound<Vec<u8>>| {
            bound
                .as_ref()
                .map(|sort| [&partition[..], &sort[..]].concat())
        };
        let from = match bound(&query.from) {
            Bound::Unbounded => Bound::Included(partition.clone()),
            bound @ (Bound::Included(_) | Bound::Excluded(_)) => bound,
        };
        let to = match bound(&query.to) {
            Bound::Unbounded => prefix_end(&partition),
            // An encoded sort key is followed by nothing: included bounds hold as they are.
            bound @ (Bound::Included(_) | Bound::Excluded(_)) => bound,
        };
        let walk = Walk {
            from,
            to,
            order: query.order,
            limit: query.limit,
        };
        self.walk(&query.table, walk, query.after.as_ref()).await
    }

    /// Reads items of a table's segment, in the order of their partitions' hashes.
    pub async fn scan(&self, scan: &Scan) -> Result<Page, ReadError> {
        let Some((from, to)) = segment(&scan.table.id.0.to_be_bytes(), scan.segment) else {
            return Ok(Page::default());
        };
        let walk = Walk {
            from,
            to,
            order: Order::Ascending,
            limit: scan.limit,
        };
        self.walk(&scan.table, walk, scan.after.as_ref()).await
    }

    async fn walk(
        &self,
        table: &TableDef,
        mut walk: Walk,
        after: Option<&Key>,
    ) -> Result<Page, ReadError> {
        if let Some(after) = after {
            walk.go_on_after(layout::item_key(table.id, &layout::item_suffix(after)));
        }
        let mut rows = Vec::new();
        let take = |value| {
            let Some(row) = row(Stored::decode(value)?) else {
                return Ok(None);
            };
            let size = ItemRef::parse(&row.image).and_then(|item| item.size());
            let size = size.map_err(|_| Damaged("an item"))?;
            rows.push(row);
            Ok(Some(size))
        };
        let walked = self.walk_rows(Space::Items, walk, take).await?;
        let last = walked.full_at.map(|key| {
            let suffix = key.get(8..).ok_or(Damaged("a key"))?;
            layout::decode_suffix(suffix)
        });
        Ok(Page {
            rows,
            last: last.transpose()?,
            size: walked.size,
        })
    }

    /// Reads rows one after another until a page is full: with as many as the walk's limit, or
    /// with the one that reaches [`PAGE_BYTES_MAX`]. `take` returns the size of a row that counts.
    pub(crate) async fn walk_rows(
        &self,
        space: Space,
        walk: Walk,
        take: impl FnMut(Bytes) -> Result<Option<usize>, Damaged> + Send,
    ) -> Result<Walked, ReadError> {
        walk_rows(&Present(&self.inner.store), space, walk, take).await
    }
}

/// What a store holds now.
struct Present<'s, S>(&'s S);

impl<S: Store> Rowed for Present<'_, S> {
    async fn range(&self, range: Range) -> Result<Rows, StoreError> {
        self.0.range(range).await
    }
}

/// Reads rows of a store, now or as they were, as [`Tables::walk_rows`] does.
pub(crate) async fn walk_rows(
    store: &impl Rowed,
    space: Space,
    mut walk: Walk,
    mut take: impl FnMut(Bytes) -> Result<Option<usize>, Damaged> + Send,
) -> Result<Walked, ReadError> {
    let limit = walk.limit.unwrap_or(usize::MAX);
    let mut walked = Walked::default();
    let mut count = 0;
    loop {
        let range = Range {
            space,
            from: walk.from.clone(),
            to: walk.to.clone(),
            order: walk.order,
            rows_max: STEP_ROWS.min(limit.saturating_sub(count).saturating_add(1)),
            bytes_max: STEP_BYTES,
        };
        let rows = store.range(range).await?;
        let last = rows.rows.last().map(|(key, _)| key.to_vec());
        for (key, value) in rows.rows {
            let Some(size) = take(value)? else {
                continue;
            };
            walked.size += size;
            count += 1;
            if limit <= count || PAGE_BYTES_MAX <= walked.size {
                walked.full_at = Some(key);
                return Ok(walked);
            }
        }
        match last {
            Some(last) if rows.more => walk.go_on_after(last),
            Some(_) | None => return Ok(walked),
        }
    }
}

impl Scan {
    /// Returns whether the key that the scan goes on after, if any, lies in its segment.
    pub fn starts_within(&self) -> bool {
        let Some(after) = &self.after else {
            return true;
        };
        let bounds = segment(&self.table.id.0.to_be_bytes(), self.segment);
        let key = layout::item_key(self.table.id, &layout::item_suffix(after));
        bounds.is_some_and(|bounds| bounds.contains(&key))
    }
}

/// A range of the store's keys.
type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Returns one of several segments of the keys that begin with `prefix` and a partition's hash;
/// `None` where it holds no hash.
pub(crate) fn segment(prefix: &[u8], (segment, segments): (u32, u32)) -> Option<Bounds> {
    let edge = |segment: u32| {
        let hash = u64::from(segment) * 65_536 / u64::from(segments.max(1));
        let hash = u16::try_from(hash).ok()?;
        Some([prefix, &hash.to_be_bytes()].concat())
    };
    let from = Bound::Included(edge(segment)?);
    let to = edge(segment + 1).map_or_else(|| prefix_end(prefix), Bound::Excluded);
    Some((from, to))
}

/// A range of the store's keys that is read step by step.
pub(crate) struct Walk {
    pub(crate) from: Bound<Vec<u8>>,
    pub(crate) to: Bound<Vec<u8>>,
    pub(crate) order: Order,
    pub(crate) limit: Option<usize>,
}

/// What a walk came to.
#[derive(Default)]
pub(crate) struct Walked {
    /// The size of the rows that count, in bytes.
    pub(crate) size: usize,
    /// The key of the row with which the page was full; `None` at the end of the range.
    pub(crate) full_at: Option<Bytes>,
}

impl Walk {
    /// Goes on behind `key`, unless the range begins behind it anyway.
    pub(crate) fn go_on_after(&mut self, key: Vec<u8>) {
        match self.order {
            Order::Ascending => {
                let ahead = match &self.from {
                    Bound::Included(from) | Bound::Excluded(from) => *from > key,
                    Bound::Unbounded => false,
                };
                if !ahead {
                    self.from = Bound::Excluded(key);
                }
            }
            Order::Descending => {
                let ahead = match &self.to {
                    Bound::Included(to) | Bound::Excluded(to) => *to < key,
                    Bound::Unbounded => false,
                };
                if !ahead {
                    self.to = Bound::Excluded(key);
                }
            }
        }
    }
}

fn row(stored: Stored) -> Option<Row> {
    let stamp = stored.stamp;
    stored.image.map(|image| Row { image, stamp })
}
