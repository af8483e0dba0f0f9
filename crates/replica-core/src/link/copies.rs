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

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, Bytes};

use base::name::TableId;
use base::region::RegionId;
use clock::time::Moment;

use crate::frame::copy::{CopyItem, CopyItems, CopyPage, CopyRequest};
use crate::limits::{COPIES_MAX, COPY_RETRY};

/// Which tables are to be filled here.
pub type Fills = BTreeMap<TableId, Fill>;

/// A replica that is to be filled here, and from which regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// When the replica was made: one that is made anew is filled anew.
    ///
    /// Units: microseconds of wall time.
    pub made: i64,
    /// The sources. The first is the primary one: it gives everything it has; the others give
    /// what they wrote last themselves.
    pub sources: Vec<RegionId>,
}

/// What one source gives to a replica that is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// When the replica was made.
    pub made: i64,
    /// Which items.
    pub items: CopyItems,
}

/// The copies that come from one source.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    /// For replicas that are to be filled.
    fills: BTreeMap<TableId, Purpose>,
    /// For what is missing of the source's log. Where a table is also filled, that comes first.
    missing: BTreeMap<TableId, Purpose>,
    tables: BTreeMap<TableId, Copy>,
    /// Tables of which a page will come that nobody waits for any more. None is asked for before.
    stale: BTreeSet<TableId>,
}

/// What a copy is for. Another purpose begins at the first page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Purpose {
    items: CopyItems,
    /// When the replica was made that is filled; none where records are missing.
    made: Option<i64>,
}

#[derive(Clone, Debug)]
struct Copy {
    purpose: Purpose,
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

impl Fill {
    /// Returns what `source` is to give, where it is one.
    pub fn portion_of(&self, source: RegionId) -> Option<Portion> {
        let place = self.sources.iter().position(|other| *other == source)?;
        let items = match place {
            0 => CopyItems::All,
            _ => CopyItems::OwnOnly,
        };
        let made = self.made;
        Some(Portion { made, items })
    }
}

impl Copies {
    /// Takes over which tables `source` is to give.
    pub fn fill(&mut self, source: RegionId, fills: &Fills) {
        let purpose = |(table, fill): (&TableId, &Fill)| {
            let Portion { made, items } = fill.portion_of(source)?;
            let made = Some(made);
            Some((*table, Purpose { items, made }))
        };
        self.fills = fills.iter().filter_map(purpose).collect();
        self.arrange();
    }

    /// Takes over which tables the source is to give since records of its log are missing here;
    /// none once they are not.
    pub fn replace_missing(&mut self, items: CopyItems, tables: &BTreeSet<TableId>) {
        let purpose = Purpose { items, made: None };
        self.missing = tables.iter().map(|table| (*table, purpose)).collect();
        self.arrange();
    }

    /// Returns whether all has come that stands for missing records.
    pub fn has_replaced(&self) -> bool {
        self.missing.iter().all(|(table, purpose)| {
            let copy = self.tables.get(table);
            copy.is_some_and(|copy| copy.purpose == *purpose && copy.state == State::Done)
        })
    }

    fn arrange(&mut self) {
        let mut wanted = self.missing.clone();
        wanted.extend(&self.fills);
        self.tables.retain(|table, copy| {
            let stays = wanted.get(table) == Some(&copy.purpose);
            if !stays && copy.state == State::Asked {
                self.stale.insert(*table);
            }
            stays
        });
        for (table, purpose) in wanted {
            self.tables
                .entry(table)
                .or_insert_with(|| Copy::of(purpose));
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
        let stale = &self.stale;
        let mut tables = self.tables.iter_mut();
        let (table, copy) = tables.find(|(table, copy)| due(copy) && !stale.contains(table))?;
        copy.state = State::Asked;
        Some(CopyRequest {
            table: *table,
            after: copy.after.clone(),
            items: copy.purpose.items,
        })
    }

    /// Takes a page in. Returns its items, to be merged; `None` for a page nobody waits for.
    pub fn page(&mut self, page: CopyPage) -> Option<Vec<CopyItem>> {
        if self.stale.remove(&page.table) {
            return None;
        }
        let copy = self.tables.get_mut(&page.table)?;
        if copy.state != State::Asked || copy.after != page.after {
            return None;
        }
        copy.state = State::Merging { next: page.next };
        Some(page.items)
    }

    /// Notes that the source cannot give `table` yet.
    pub fn later(&mut self, now: Moment, table: TableId) {
        if !self.stale.remove(&table)
            && let Some(copy) = self.tables.get_mut(&table)
            && copy.state == State::Asked
        {
            let until = Some(now + COPY_RETRY);
            copy.state = State::Waiting { until };
        }
    }

    /// Notes that the last page of `table` is merged, or could not be. Where the source has given
    /// all of it to a replica that is filled, returns what that was.
    pub fn merged(&mut self, now: Moment, table: TableId, merged: bool) -> Option<Portion> {
        let copy = self.tables.get_mut(&table)?;
        let State::Merging { next } = &copy.state else {
            return None;
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
        let made = copy.purpose.made.filter(|_| copy.state == State::Done)?;
        let items = copy.purpose.items;
        Some(Portion { made, items })
    }

    /// Notes that the connection is gone: what was asked will not come.
    pub fn down(&mut self) {
        self.stale.clear();
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
    const fn of(purpose: Purpose) -> Self {
        Self {
            purpose,
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
