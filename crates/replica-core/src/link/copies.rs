//! Copies of whole tables from one source, page by page, behind the log.
//!
//! It reads no pages and stores none. A copy outlives connections: it goes on after the last
//! page that was merged.
//!
//! ```text
//!   Waiting ── asked ──► Asked ── page ──► Merging ── merged, next key ──► Waiting
//!      ▲                   │ later                  └─ merged, last ─────► Done
//!      └──── COPY_RETRY ───┘
//! ```

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};

use base::name::TableId;
use base::region::RegionId;
use clock::time::Moment;

use crate::frame::copy::{CopyItem, CopyItems, CopyPage, CopyRequest};
use crate::limits::{COPIES_MAX, COPY_RETRY};

/// Which tables are to be filled here, and from which regions. The first is the primary source:
/// it gives everything it has; the others give what they wrote last themselves.
pub type Fills = BTreeMap<TableId, Vec<RegionId>>;

/// The copies that come from one source.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    tables: BTreeMap<TableId, Copy>,
}

#[derive(Clone, Debug)]
struct Copy {
    items: CopyItems,
    /// The last key of the last page that was merged.
    after: Option<Bytes>,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting { until: Option<Moment> },
    Asked,
    Merging { next: Option<Bytes> },
    Done,
}

impl Copies {
    /// Takes over which tables `source` is to give.
    pub fn fill(&mut self, source: RegionId, fills: &Fills) {
        self.tables
            .retain(|table, _| fills.get(table).is_some_and(|from| from.contains(&source)));
        for (table, from) in fills.iter().filter(|(_, from)| from.contains(&source)) {
            let items = if from.first() == Some(&source) {
                CopyItems::All
            } else {
                CopyItems::OwnOnly
            };
            let copy = self.tables.entry(*table).or_insert_with(|| Copy::of(items));
            if copy.items != items {
                *copy = Copy::of(items);
            }
        }
    }

    /// Returns a request that can be made at `now`, which then counts as made.
    pub fn ask(&mut self, now: Moment) -> Option<CopyRequest> {
        if self.are_enough_running() {
            return None;
        }
        let due = |copy: &Copy| match &copy.state {
            State::Waiting { until } => until.is_none_or(|until| until <= now),
            State::Asked | State::Merging { .. } | State::Done => false,
        };
        let (table, copy) = self.tables.iter_mut().find(|(_, copy)| due(copy))?;
        copy.state = State::Asked;
        Some(CopyRequest {
            table: *table,
            after: copy.after.clone(),
            items: copy.items,
        })
    }

    /// Takes a page in. Returns its items, to be merged; `None` for a page nobody waits for.
    pub fn page(&mut self, page: CopyPage) -> Option<Vec<CopyItem>> {
        let copy = self.tables.get_mut(&page.table)?;
        if copy.state != State::Asked || copy.after != page.after {
            return None;
        }
        copy.state = State::Merging { next: page.next };
        Some(page.items)
    }

    /// Notes that the source cannot give `table` yet.
    pub fn later(&mut self, now: Moment, table: TableId) {
        if let Some(copy) = self.tables.get_mut(&table)
            && copy.state == State::Asked
        {
            let until = Some(now + COPY_RETRY);
            copy.state = State::Waiting { until };
        }
    }

    /// Notes that the last page of `table` is merged, or could not be. Returns whether the
    /// source has given all of it.
    pub fn merged(&mut self, now: Moment, table: TableId, merged: bool) -> bool {
        let Some(copy) = self.tables.get_mut(&table) else {
            return false;
        };
        let State::Merging { next } = &copy.state else {
            return false;
        };
        let next = next.clone();
        copy.state = match (merged, next) {
            (false, _) => {
                let until = Some(now + COPY_RETRY);
                State::Waiting { until }
            }
            (true, None) => State::Done,
            (true, next) => {
                copy.after = next;
                State::Waiting { until: None }
            }
        };
        copy.state == State::Done
    }

    /// Notes that the connection is gone: what was asked will not come.
    pub fn down(&mut self) {
        for copy in self.tables.values_mut() {
            if copy.state == State::Asked {
                copy.state = State::Waiting { until: None };
            }
        }
    }

    /// Returns when the next request can be made that cannot be made before. While enough copies
    /// run, only their pages make room, not time.
    pub fn poll_timeout(&self) -> Option<Moment> {
        if self.are_enough_running() {
            return None;
        }
        let waits = self.tables.values().filter_map(|copy| match &copy.state {
            State::Waiting { until } => *until,
            State::Asked | State::Merging { .. } | State::Done => None,
        });
        waits.min()
    }

    /// Returns the tables that this source has given in full.
    pub fn done(&self) -> impl Iterator<Item = TableId> {
        let done = |(table, copy): (&TableId, &Copy)| (copy.state == State::Done).then_some(*table);
        self.tables.iter().filter_map(done)
    }

    /// Returns how far each copy is.
    ///
    /// Units: per cent of the key space, which hashing fills evenly.
    pub fn progress(&self) -> impl Iterator<Item = (TableId, u8)> {
        self.tables
            .iter()
            .map(|(table, copy)| (*table, copy.percent()))
    }

    fn are_enough_running(&self) -> bool {
        let running = self.tables.values().filter(|copy| copy.is_running());
        running.count() >= COPIES_MAX
    }
}

impl Copy {
    const fn of(items: CopyItems) -> Self {
        Self {
            items,
            after: None,
            state: State::Waiting { until: None },
        }
    }

    const fn is_running(&self) -> bool {
        match self.state {
            State::Asked | State::Merging { .. } => true,
            State::Waiting { .. } | State::Done => false,
        }
    }

    /// Keys start with two bytes of the partition key's hash.
    fn percent(&self) -> u8 {
        if self.state == State::Done {
            return 100;
        }
        let hash = self
            .after
            .clone()
            .and_then(|mut after| after.try_get_u16().ok())
            .unwrap_or(0);
        u8::try_from(u32::from(hash) * 100 / 0x1_0000).unwrap_or(99)
    }
}

#[cfg(test)]
mod tests;
