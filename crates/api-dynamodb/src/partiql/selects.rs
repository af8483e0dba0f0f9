//! `SELECT`: the reads of a plan, one after another, until a page is full.
//!
//! It parses and renders nothing. Source: DynamoDB developer guide, "PartiQL select statements".

use std::sync::Arc;

use bytes::Bytes;
use expr::key_condition::index::IndexRange;
use expr::key_condition::{KeyRange, SortRange};
use futures_util::future::join_all;
use item::codec;
use item::key::Key;
use item::value::Item;
use partiql::plan::{Direction, Reads};
use store::port::{Order, Store};
use table::read::PAGE_BYTES_MAX;

use super::next;
use crate::capacity::{Consumed, Units};
use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::fault::{self, Refused};
use crate::indexes::OpenIndex;
use crate::items;
use crate::limits::STATEMENT_GETS_AT_ONCE;
use crate::reads::of_index::{key_of_entry, place};
use crate::reads::{Found, Reading, start_within};

/// Where a read begins: at which of the plan's reads, and after which key in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) step: u16,
    pub(super) after: Option<Item>,
}

/// What was read, before the filter.
#[derive(Default)]
pub(super) struct Page {
    pub(super) images: Vec<Bytes>,
    pub(super) size: usize,
    pub(super) consumed: Consumed,
    /// Where to go on; `None` at the end.
    pub(super) stop: Option<Start>,
    /// The key of the last item that was read, where there is a place to go on.
    pub(super) last: Option<Item>,
}

impl<S: Store> DynamoDb<S> {
    /// Reads a page of what a plan reads.
    pub(super) async fn select(
        &self,
        open: &Arc<OpenTable>,
        index: Option<&str>,
        reading: &mut Reading,
        reads: Reads,
        start: Start,
    ) -> Result<Page, Refused> {
        let index = match index {
            Some(name) => Some(self.open_index(open, name)?),
            None => None,
        };
        let source = Source {
            open,
            fetches: match &index {
                Some(index) => reading.check_index(open, index)?,
                None => false,
            },
            index,
        };
        let mut page = match reads {
            Reads::Key(key) => self.read_keys(open, reading, &[key], start).await?,
            Reads::Keys(keys) => self.read_keys(open, reading, &keys, start).await?,
            Reads::Ranges { ranges, direction } => {
                let order = match direction {
                    Direction::Ascending => Order::Ascending,
                    Direction::Descending => Order::Descending,
                };
                self.read_ranges(&source, reading, (&ranges, order), start)
                    .await?
            }
            Reads::All => self.read_all(&source, reading, start).await?,
        };
        if let (Some(_), Some(image)) = (&page.stop, page.images.last()) {
            page.last = Some(source.key_of(image)?);
        }
        Ok(page)
    }

    /// Reads items by their keys, as many at once as memory is to hold beside a page.
    async fn read_keys(
        &self,
        open: &OpenTable,
        reading: &Reading,
        keys: &[Key],
        start: Start,
    ) -> Result<Page, Refused> {
        let first = usize::from(start.step);
        if start.after.is_some() || (first > 0 && keys.len() <= first) {
            return Err(next::invalid().into());
        }
        let limit = reading.limit.unwrap_or(usize::MAX);
        let mut page = Page::default();
        let mut at = first;
        while at < keys.len() {
            let wanted = STATEMENT_GETS_AT_ONCE.min(limit - page.images.len());
            let some = keys.get(at..).unwrap_or_default().iter().take(wanted);
            let consistency = items::reading(reading.consistent);
            let gets = some.map(async |key| {
                let ticket = self.admit_read(open, None, consistency)?;
                let row = self.control.tables().get(&open.def, key).await?;
                Ok::<_, Refused>((ticket, row))
            });
            for read in join_all(gets).await {
                at += 1;
                let (ticket, row) = read?;
                let image = row.map(|row| row.image);
                let size = image.as_deref().map_or(Ok(0), items::size_of)?;
                let units = Units::of_read(size, consistency);
                ticket.settle(units);
                page.consumed.plus(Consumed::of_table(units));
                page.size += size;
                page.images.extend(image);
                if limit <= page.images.len() || PAGE_BYTES_MAX <= page.size {
                    page.stop = (at < keys.len()).then_some(at_step(at));
                    return Ok(page);
                }
            }
        }
        Ok(page)
    }

    async fn read_ranges(
        &self,
        source: &Source<'_>,
        reading: &mut Reading,
        (ranges, order): (&[KeyRange], Order),
        start: Start,
    ) -> Result<Page, Refused> {
        let first = usize::from(start.step);
        if ranges.len() <= first {
            return Err(next::invalid().into());
        }
        let mut after = start.after;
        let mut page = Page::default();
        for (at, range) in ranges.iter().enumerate().skip(first) {
            let begins = (order, after.take());
            let found = self.read_one(source, reading, range, begins).await?;
            reading.limit = reading.limit.map(|limit| limit - found.images.len());
            page.add(found, at);
            let is_full = reading.limit == Some(0) || PAGE_BYTES_MAX <= page.size;
            if page.stop.is_none() && is_full && at + 1 < ranges.len() {
                page.stop = Some(at_step(at + 1));
            }
            if page.stop.is_some() {
                break;
            }
        }
        Ok(page)
    }

    async fn read_one(
        &self,
        source: &Source<'_>,
        reading: &Reading,
        range: &KeyRange,
        (order, after): (Order, Option<Item>),
    ) -> Result<Found, Refused> {
        let open = source.open;
        let Some(index) = &source.index else {
            let after = after.map(|after| start_within(&open.def.schema, range, &after));
            let after = after.transpose().map_err(|_| next::invalid())?;
            let found = self.read_range(open, reading, range.clone(), order, after);
            return found.await;
        };
        let range = range_of_index(range);
        let after = after.map(|after| place(open, index, &after));
        let after = after.transpose().map_err(|_| next::invalid())?;
        let is_outside = after.as_ref().is_some_and(|after| {
            after.partition != range.partition || !range.contains(&after.sort)
        });
        if is_outside {
            return Err(next::invalid().into());
        }
        let reads = (reading, source.fetches);
        self.read_index_range(open, index, reads, range, (order, after))
            .await
    }

    async fn read_all(
        &self,
        source: &Source<'_>,
        reading: &Reading,
        start: Start,
    ) -> Result<Page, Refused> {
        if start.step > 0 {
            return Err(next::invalid().into());
        }
        let open = source.open;
        let found = match &source.index {
            None => {
                let after = start.after;
                let after = after.map(|after| open.def.schema.exact_key_of(&after));
                let after = after.transpose().map_err(|_| next::invalid())?;
                self.read_segment(open, reading, WHOLE, after).await?
            }
            Some(index) => {
                let after = start.after.map(|after| place(open, index, &after));
                let after = after.transpose().map_err(|_| next::invalid())?;
                let reads = (reading, source.fetches);
                self.read_index_segment(open, index, reads, WHOLE, after)
                    .await?
            }
        };
        let mut page = Page::default();
        page.add(found, 0);
        Ok(page)
    }
}

/// What is read: a table, or an index of it.
struct Source<'t> {
    open: &'t Arc<OpenTable>,
    index: Option<OpenIndex<'t>>,
    /// Whether items are read beside the entries of the index.
    fetches: bool,
}

impl Source<'_> {
    /// Returns the key of an item that was read.
    fn key_of(&self, image: &[u8]) -> Result<Item, Refused> {
        match &self.index {
            Some(index) => key_of_entry(self.open, index, image),
            None => {
                let schema = &self.open.def.schema;
                let key = schema.key_of(&codec::decode(image)?);
                let key = key.map_err(|error| fault::ours(&error))?;
                Ok(key.to_item(schema))
            }
        }
    }
}

impl Page {
    /// Adds what one of the plan's reads found.
    fn add(&mut self, found: Found, step: usize) {
        self.images.extend(found.images);
        self.size += found.size;
        self.consumed.plus(found.consumed);
        self.stop = found.last.map(|last| Start {
            after: Some(last),
            ..at_step(step)
        });
    }
}

/// Returns the beginning of one of the plan's reads, of which there are a hundred at most.
fn at_step(step: usize) -> Start {
    Start {
        step: u16::try_from(step).unwrap_or(u16::MAX),
        after: None,
    }
}

/// Returns a range of an index's first key attributes as a range of the index.
fn range_of_index(range: &KeyRange) -> IndexRange {
    let (equal, range_of_sort) = match &range.sort {
        Some(SortRange::Eq(value)) => (vec![value.clone()], None),
        other => (Vec::new(), other.clone()),
    };
    IndexRange {
        partition: vec![range.partition.clone()],
        equal,
        range: range_of_sort,
    }
}

/// All of a table, as one segment.
const WHOLE: (u32, u32) = (0, 1);
