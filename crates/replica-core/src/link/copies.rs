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
use crate::link::Owed;

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
    /// Where the items are.
    pub holders: Holders,
}

/// Where the items of a replica are that is to be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holders {
    /// The primary source has all that the others did not write last.
    Primary,
    /// An earlier directory here held the replica and is lost: any source may be the only one that
    /// has what it wrote last, so each gives everything it has.
    Each,
    /// No replica is whole, and none will be: what they have together is what there is.
    Parts,
}

/// What one source gives to a replica that is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// When the replica was made.
    pub made: i64,
    /// Which items.
    pub items: CopyItems,
}

/// What a source has given in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// What stands for records that are missing.
    Missing(CopyItems),
    /// Its portion of a replica that is filled.
    Portion(Portion),
}

/// A page that is to be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// To be given back when it is merged.
    pub ticket: u64,
    /// When the replica was made that it fills; `None` where it stands for missing records.
    pub made: Option<i64>,
    /// Its items.
    pub items: Vec<CopyItem>,
}

/// The copies that come from one source.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    wanted: BTreeMap<(Reason, TableId), Copy>,
    /// Tables of which a page will come that nobody waits for any more. None is asked for before.
    stale: BTreeSet<TableId>,
    tickets: u64,
}

/// Why a table is copied. A table may be copied for both reasons, one page at a time: what comes
/// for one of them may have been read too early for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// Records of the source's log are missing here. It comes first: the log waits for it.
    Missing,
    /// The replica here is to be filled.
    Fill,
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
    /// The source could give no more when it was asked last.
    is_late: bool,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting { until: Option<Moment> },
    Asked,
    Merging { ticket: u64, next: Option<Bytes> },
    Done,
}

impl Fill {
    /// Returns what `source` is to give, where it is one.
    pub fn portion_of(&self, source: RegionId) -> Option<Portion> {
        let place = self.sources.iter().position(|other| *other == source)?;
        let items = match (self.holders, place) {
            (Holders::Parts, _) => CopyItems::Rest,
            (Holders::Each, _) | (Holders::Primary, 0) => CopyItems::All,
            (Holders::Primary, _) => CopyItems::OwnOnly,
        };
        let made = self.made;
        Some(Portion { made, items })
    }
}

impl Copies {
    /// Takes over which tables `source` is to give to replicas that are filled.
    pub fn fill(&mut self, source: RegionId, fills: &Fills) {
        let purpose = |(table, fill): (&TableId, &Fill)| {
            let Portion { made, items } = fill.portion_of(source)?;
            let made = Some(made);
            Some((*table, Purpose { items, made }))
        };
        let wanted = fills.iter().filter_map(purpose).collect();
        self.arrange(Reason::Fill, wanted);
    }

    /// Returns what the source has given in full of what it is to give to replicas that are filled.
    pub fn given(&self) -> impl Iterator<Item = (TableId, Portion)> {
        self.wanted.iter().filter_map(|((_, table), copy)| {
            let made = copy.purpose.made.filter(|_| copy.state == State::Done)?;
            let items = copy.purpose.items;
            Some((*table, Portion { made, items }))
        })
    }

    /// Takes over which tables the source is to give since records of its log are missing here;
    /// none once they are not.
    pub fn replace_missing(&mut self, owed: &Owed) {
        let purpose = |(table, items): (&TableId, &CopyItems)| {
            let (items, made) = (*items, None);
            (*table, Purpose { items, made })
        };
        let wanted = owed.iter().map(purpose).collect();
        self.arrange(Reason::Missing, wanted);
    }

    /// Returns whether all has come that stands for missing records, as far as the source has it.
    pub fn has_replaced(&self) -> bool {
        let mut missing = self.missing();
        missing.all(|(_, copy)| copy.state == State::Done || copy.is_late)
    }

    /// Returns what of it the source had not whole itself when it was asked last.
    pub fn late(&self) -> Owed {
        let late = self.missing().filter(|(_, copy)| copy.is_late);
        let late = late.map(|(table, copy)| (table, copy.purpose.items));
        late.collect()
    }

    fn missing(&self) -> impl Iterator<Item = (TableId, &Copy)> {
        let copies = self.wanted.iter();
        let missing = copies.filter(|((reason, _), _)| *reason == Reason::Missing);
        missing.map(|((_, table), copy)| (*table, copy))
    }

    fn arrange(&mut self, reason: Reason, wanted: BTreeMap<TableId, Purpose>) {
        let stale = &mut self.stale;
        self.wanted.retain(|(other, table), copy| {
            let stays = *other != reason || wanted.get(table) == Some(&copy.purpose);
            if !stays && copy.state == State::Asked {
                stale.insert(*table);
            }
            stays
        });
        for (table, purpose) in wanted {
            self.wanted
                .entry((reason, table))
                .or_insert_with(|| Copy::of(purpose));
        }
    }

    /// Returns a request that can be made at `now`, which then counts as made.
    pub fn ask(&mut self, now: Moment) -> Option<CopyRequest> {
        let until = |copy: &Copy| match copy.state {
            State::Waiting { until } => until.is_none_or(|until| until <= now),
            State::Asked | State::Merging { .. } | State::Done => false,
        };
        let due = self.ready().find(|(_, copy)| until(copy));
        let (reason, table) = due.map(|(key, _)| *key)?;
        let copy = self.wanted.get_mut(&(reason, table))?;
        copy.state = State::Asked;
        Some(CopyRequest {
            table,
            after: copy.after.clone(),
            items: copy.purpose.items,
        })
    }

    /// Takes a page in. Returns what is to be merged; `None` for a page nobody waits for.
    pub fn page(&mut self, page: CopyPage) -> Option<Arrived> {
        if self.stale.remove(&page.table) {
            return None;
        }
        let (ticket, next) = (self.tickets + 1, page.next);
        let asked = self.asked(page.table);
        let copy = asked.filter(|copy| copy.after == page.after)?;
        copy.state = State::Merging { ticket, next };
        copy.is_late = false;
        let (made, items) = (copy.purpose.made, page.items);
        self.tickets = ticket;
        Some(Arrived {
            ticket,
            made,
            items,
        })
    }

    /// Notes that the source cannot give `table` yet.
    pub fn later(&mut self, now: Moment, table: TableId) {
        if !self.stale.remove(&table)
            && let Some(copy) = self.asked(table)
        {
            let until = Some(now + COPY_RETRY);
            copy.state = State::Waiting { until };
            copy.is_late = true;
        }
    }

    /// Notes that a page is merged, or could not be. Where it was the last one, returns the table
    /// and what has been given of it.
    pub fn merged(&mut self, now: Moment, ticket: u64, merged: bool) -> Option<(TableId, Given)> {
        let mut copies = self.wanted.iter_mut();
        let ((_, table), copy, next) = copies.find_map(|(key, copy)| match &mut copy.state {
            State::Merging { ticket: its, next } if *its == ticket => {
                let next = next.take();
                Some((key, copy, next))
            }
            State::Waiting { .. } | State::Asked | State::Merging { .. } | State::Done => None,
        })?;
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
        let is_done = copy.state == State::Done;
        let Purpose { items, made } = copy.purpose;
        is_done.then_some(match made {
            Some(made) => (*table, Given::Portion(Portion { made, items })),
            None => (*table, Given::Missing(items)),
        })
    }

    /// Notes that the connection is gone: what was asked will not come.
    pub fn down(&mut self) {
        self.stale.clear();
        for copy in self.wanted.values_mut() {
            if copy.state == State::Asked {
                copy.state = State::Waiting { until: None };
            }
        }
    }

    /// Returns when the next request can be made that cannot be made before. While enough copies
    /// run, only their pages make room, not time.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let waits = self.ready().filter_map(|(_, copy)| match copy.state {
            State::Waiting { until } => until,
            State::Asked | State::Merging { .. } | State::Done => None,
        });
        waits.min()
    }

    /// Returns how far the copy of each table is: that which fills it, where it is filled.
    ///
    /// Units: per cent of the key space, which hashing fills evenly.
    pub fn progress(&self) -> BTreeMap<TableId, u8> {
        // In the order of reasons: what fills comes last, and stays.
        let copies = self.wanted.iter();
        copies
            .map(|((_, table), copy)| (*table, copy.percent()))
            .collect()
    }

    /// Returns the copies that may ask, in turn: none while enough run, and none of a table of
    /// which a page is to come.
    fn ready(&self) -> impl Iterator<Item = (&(Reason, TableId), &Copy)> {
        let copies = self.wanted.iter();
        let asked = copies.filter(|(_, copy)| copy.state == State::Asked);
        let mut busy: BTreeSet<TableId> = asked.map(|((_, table), _)| *table).collect();
        busy.extend(&self.stale);
        let merging = |copy: &&Copy| matches!(copy.state, State::Merging { .. });
        let running = busy.len() + self.wanted.values().filter(merging).count();
        let has_room = running < COPIES_MAX;
        let copies = self.wanted.iter();
        copies.filter(move |((_, table), _)| has_room && !busy.contains(table))
    }

    fn asked(&mut self, table: TableId) -> Option<&mut Copy> {
        let mut copies = self.wanted.iter_mut();
        let asked = copies.find(|((_, other), copy)| *other == table && copy.state == State::Asked);
        asked.map(|(_, copy)| copy)
    }
}

impl Copy {
    const fn of(purpose: Purpose) -> Self {
        Self {
            purpose,
            after: None,
            is_late: false,
            state: State::Waiting { until: None },
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
