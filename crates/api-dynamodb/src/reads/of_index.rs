//! Query and Scan of a secondary index.
//!
//! A global index answers with what it holds; of a local one, items are fetched where more is
//! asked for. Both are consistent here, since an entry is written with its item; what AWS refuses
//! is refused all the same. Source: DynamoDB API reference, `Query` (`IndexName`, `Select`).

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use api_protocol::fault::Fault;
use bytes::Bytes;
use expr::key_condition::KeyCondition;
use expr::key_condition::index::IndexRange;
use item::codec;
use item::key::{KeyAttribute, KeyRole, KeyValue};
use item::value::Item;
use store::port::{Order, Store};
use table::index::read::{IndexPage, IndexQuery, IndexScan, Place};
use table::read::PAGE_BYTES_MAX;

use super::{Found, Reading, lower};
use crate::capacity::{Consumed, Units};
use crate::catalog::OpenTable;
use crate::choices::Select;
use crate::facade::{Answer, DynamoDb};
use crate::fault::{self, Refused};
use crate::indexes::OpenIndex;
use crate::items::{reading, size_of};

/// What a query asks of an index.
pub(super) struct Asked<'r> {
    pub(super) index: &'r str,
    pub(super) key_condition: &'r KeyCondition,
    pub(super) start: Option<&'r Item>,
    pub(super) order: Order,
}

impl<S: Store> DynamoDb<S> {
    /// Answers `Query` of an index.
    pub(super) async fn query_index(
        &self,
        open: &Arc<OpenTable>,
        request: &Reading,
        asked: Asked<'_>,
    ) -> Answer {
        let index = self.open_index(open, asked.index)?;
        let fetches = request.check_index(open, &index)?;
        let (partition, sort) = (&index.def.partition, &index.def.sort);
        let range = asked.key_condition.bind_index(partition, sort)?;
        request.check_filter(&partition.iter().chain(sort).collect::<Vec<_>>())?;
        let after = asked
            .start
            .map(|start| place(open, &index, start))
            .transpose()?;
        if let Some(after) = &after {
            if after.partition != range.partition {
                return Err(fault::validation(OUTSIDE).into());
            }
            if !range.contains(&after.sort) {
                return Err(fault::validation(NO_MATCH).into());
            }
        }
        let reads = (request, fetches);
        let found = self.read_index_range(open, &index, reads, range, (asked.order, after));
        request.answer(&found.await?)
    }

    /// Answers `Scan` of an index.
    pub(super) async fn scan_index(
        &self,
        open: &Arc<OpenTable>,
        request: &Reading,
        index: &str,
        segment: (u32, u32),
        start: Option<&Item>,
    ) -> Answer {
        let index = self.open_index(open, index)?;
        let fetches = request.check_index(open, &index)?;
        let after = start.map(|start| place(open, &index, start)).transpose()?;
        let reads = (request, fetches);
        let found = self.read_index_segment(open, &index, reads, segment, after);
        request.answer(&found.await?)
    }

    /// Reads a page of one partition of an index; fetches items where [`Reading::check_index`]
    /// says so.
    pub(crate) async fn read_index_range(
        &self,
        open: &OpenTable,
        index: &OpenIndex<'_>,
        (request, fetches): (&Reading, bool),
        range: IndexRange,
        (order, after): (Order, Option<Place>),
    ) -> Result<Found, Refused> {
        let (from, to) = range.bytes();
        let query = IndexQuery {
            table: Arc::clone(&open.def),
            index: index.def.id,
            partition: range.partition,
            from: lower(from),
            to: to.map_or(Bound::Unbounded, Bound::Excluded),
            order,
            after,
            limit: request.limit,
        };
        let ticket = self.admit_read(open, Some(index), reading(request.consistent))?;
        let past = self.past_of(open, index);
        let page = self
            .control
            .tables()
            .query_index_of(&query, past.as_deref())
            .await?;
        let found = self.found_in_index(open, request, index, page, fetches);
        let found = found.await?;
        ticket.settle(found.consumed.total());
        Ok(found)
    }

    /// Reads a page of one segment of an index; fetches items where [`Reading::check_index`]
    /// says so.
    pub(crate) async fn read_index_segment(
        &self,
        open: &OpenTable,
        index: &OpenIndex<'_>,
        (request, fetches): (&Reading, bool),
        segment: (u32, u32),
        after: Option<Place>,
    ) -> Result<Found, Refused> {
        let scan = IndexScan {
            table: Arc::clone(&open.def),
            index: index.def.id,
            segment,
            after,
            limit: request.limit,
        };
        let ticket = self.admit_read(open, Some(index), reading(request.consistent))?;
        let past = self.past_of(open, index);
        let page = self
            .control
            .tables()
            .scan_index_of(&scan, past.as_deref())
            .await?;
        let found = self.found_in_index(open, request, index, page, fetches);
        let found = found.await?;
        ticket.settle(found.consumed.total());
        Ok(found)
    }

    async fn found_in_index(
        &self,
        open: &OpenTable,
        request: &Reading,
        index: &OpenIndex<'_>,
        page: IndexPage,
        fetches: bool,
    ) -> Result<Found, Refused> {
        if fetches {
            return self.fetched(open, request, index, page).await;
        }
        let last = page.images.last().filter(|_| page.more);
        let last = last
            .map(|image| key_of_entry(open, index, image))
            .transpose()?;
        let mut consumed = Consumed::default();
        let units = Units::of_read(page.size, reading(request.consistent));
        consumed.add(index.view, units);
        Ok(Found {
            images: page.images,
            last,
            size: page.size,
            consumed,
        })
    }

    /// Reads the items of entries, until they are a page: entries are small, and a page of them
    /// may stand for any amount of items.
    async fn fetched(
        &self,
        open: &OpenTable,
        request: &Reading,
        index: &OpenIndex<'_>,
        page: IndexPage,
    ) -> Result<Found, Refused> {
        let reading = reading(request.consistent);
        let mut found = Found {
            images: Vec::new(),
            last: None,
            size: 0,
            consumed: Consumed::default(),
        };
        let mut entries = page.images.into_iter().peekable();
        let mut entries_size = 0;
        while let Some(entry) = entries.next() {
            entries_size += size_of(&entry)?;
            let (whole, units) = self.fetch(open, entry.clone(), reading).await?;
            found.consumed.plus(Consumed::of_table(units));
            found.size += size_of(&whole)?;
            found.images.push(whole);
            let is_full = PAGE_BYTES_MAX <= found.size;
            let more = entries.peek().is_some();
            if (more && is_full) || (!more && page.more) {
                found.last = Some(key_of_entry(open, index, &entry)?);
                break;
            }
        }
        let units = Units::of_read(entries_size, reading);
        found.consumed.add(index.view, units);
        Ok(found)
    }

    /// Reads the item of an entry, and tells what that costs. One that went since the entry was
    /// read is answered as the entry has it.
    async fn fetch(
        &self,
        open: &OpenTable,
        entry: Bytes,
        reading: crate::capacity::Reading,
    ) -> Result<(Bytes, Units), Refused> {
        let key = open.def.schema.key_of(&codec::decode(&entry)?);
        let key = key.map_err(|error| fault::ours(&error))?;
        let row = self.control.tables().get(&open.def, &key).await?;
        let image = row.map_or(entry, |row| row.image);
        let units = Units::of_read(size_of(&image)?, reading);
        Ok((image, units))
    }
}

impl Reading {
    /// Checks what is asked of an index. Returns whether whole items are to be fetched.
    pub(crate) fn check_index(
        &self,
        open: &OpenTable,
        index: &OpenIndex<'_>,
    ) -> Result<bool, Fault> {
        let name = &index.view.name;
        let wanted = self.wanted();
        let not_held = wanted.iter().filter(|name| !index.def.holds(name));
        let not_held: Vec<&str> = not_held.copied().collect();
        let wants_all = self.select == Some(Select::AllAttributes) && !index.def.holds_all();
        if index.view.is_local {
            debug_assert!(
                open.def.schema.sort.is_some(),
                "it has a sort key beside the table's"
            );
            return Ok(wants_all || !not_held.is_empty() || self.filters_beyond(index));
        }
        if self.consistent == Some(true) {
            return Err(fault::validation(
                "Consistent reads are not supported on global secondary indexes",
            ));
        }
        if wants_all {
            return Err(fault::invalid_parameter(format_args!(
                "Select type ALL_ATTRIBUTES is not supported for global secondary index {name} \
                 because its projection type is not ALL"
            )));
        }
        if !not_held.is_empty() {
            let not_held = not_held.join(", ");
            return Err(fault::invalid_parameter(format_args!(
                "Global secondary index {name} does not project [{not_held}]"
            )));
        }
        Ok(false)
    }

    /// Returns the attributes that the answer is to have, where it names them.
    fn wanted(&self) -> BTreeSet<&str> {
        let projection = self.projection.iter();
        let names = projection.flat_map(|projection| projection.tree().root().keys());
        names.map(String::as_str).collect()
    }

    /// Returns whether the filter tests what the index does not hold.
    fn filters_beyond(&self, index: &OpenIndex<'_>) -> bool {
        let mut beyond = false;
        if let Some(filter) = &self.filter {
            filter.for_each_path(&mut |path| beyond |= !index.def.holds(path.name()));
        }
        beyond
    }
}

/// Returns the keys of an entry: the index's and the table's.
pub(crate) fn key_of_entry(
    open: &OpenTable,
    index: &OpenIndex<'_>,
    image: &[u8],
) -> Result<Item, Refused> {
    let held = codec::decode(image)?;
    let mut key = Item::new();
    for attribute in index.def.keys().chain(open.def.schema.attributes()) {
        if let Some(value) = held.get(&attribute.name) {
            key.insert(attribute.name.clone(), value.clone());
        }
    }
    Ok(key)
}

/// Returns the entry that a read goes on after: given by the index's and the table's key.
pub(crate) fn place(open: &OpenTable, index: &OpenIndex<'_>, start: &Item) -> Result<Place, Fault> {
    let invalid = || fault::validation("The provided starting key is invalid");
    let schema = &open.def.schema;
    let is_key = |name: &str| {
        let mut keys = index.def.keys().chain(schema.attributes());
        keys.any(|key| key.name == name)
    };
    if start.iter().any(|(name, _)| !is_key(name)) {
        return Err(invalid());
    }
    let values = |keys: &[KeyAttribute], role| -> Result<Vec<KeyValue>, Fault> {
        let value = |key: &KeyAttribute| {
            let value = start.get(&key.name).ok_or_else(invalid)?;
            key.value_of(value, role).map_err(|_| invalid())
        };
        keys.iter().map(value).collect()
    };
    Ok(Place {
        partition: values(&index.def.partition, KeyRole::Partition)?,
        sort: values(&index.def.sort, KeyRole::Sort)?,
        key: schema.key_of(start).map_err(|_| invalid())?,
    })
}

const OUTSIDE: &str =
    "The provided starting key is outside query boundaries based on provided conditions";
const NO_MATCH: &str = "The provided starting key does not match the range key predicate";
