//! Copies of whole tables from one source: a window of pages of each, behind the log.
//!
//! It reads no pages and stores none. A copy outlives connections: it goes on after the last
//! page that was merged, and after a restart where that was kept with the page.
//!
//! ```text
//!   Waiting ── asked ──► Running ── pages, merged in their order ── the last one ──► Done
//!      ▲                    │ later, not merged, no link
//!      └──── COPY_RETRY ────┘
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use clock::time::Moment;

use crate::frame::copy::{self, CopyItem, CopyItems, CopyPage, CopyRequest};
use crate::limits::{COPIES_MAX, COPY_RETRY, COPY_WINDOW};
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
    /// What it is a part of, where it fills a replica; `None` where it stands for missing records.
    pub portion: Option<Portion>,
    /// Its items.
    pub items: Vec<CopyItem>,
    /// Where the next page starts, none after the last page.
    pub next: Option<Bytes>,
}

/// How far a replica has been filled from one source, as it is kept with the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What the source gives.
    pub portion: Portion,
    /// The last key that is here; none where all is.
    pub after: Option<Bytes>,
}

/// The copies that come from one source.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    wanted: BTreeMap<(Reason, TableId), Copy>,
    /// What the source is to be told.
    words: VecDeque<Word>,
    rounds: u32,
    tickets: u64,
}

/// What a source is told of a copy that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A page is merged.
    Taken(CopyRequest),
    /// No more pages are waited for.
    Stop(TableId),
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
    Running(Run),
    Done,
}

/// Pages under way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    /// The round that was asked for; none where its pages do not come any more.
    round: Option<u32>,
    /// Where the page that comes next starts.
    expected: Option<Bytes>,
    /// Pages that have come, in their order: the items, and where the next page starts.
    pages: VecDeque<(Vec<CopyItem>, Option<Bytes>)>,
    /// The page that is being merged.
    merging: Option<(u64, Option<Bytes>)>,
    /// Where no more pages come: until when to wait before they are asked for again.
    until: Option<Moment>,
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
    /// Takes over which tables `source` is to give to replicas that are filled. Copies that begin
    /// go on where the disk has them.
    pub fn fill(&mut self, source: RegionId, fills: &Fills, kept: &BTreeMap<TableId, Kept>) {
        let purpose = |(table, fill): (&TableId, &Fill)| {
            let Portion { made, items } = fill.portion_of(source)?;
            let made = Some(made);
            Some((*table, Purpose { items, made }))
        };
        let wanted = fills.iter().filter_map(purpose).collect();
        self.arrange(Reason::Fill, wanted, kept);
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
        self.arrange(Reason::Missing, wanted, &BTreeMap::new());
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

    fn arrange(
        &mut self,
        reason: Reason,
        wanted: BTreeMap<TableId, Purpose>,
        kept: &BTreeMap<TableId, Kept>,
    ) {
        let words = &mut self.words;
        self.wanted.retain(|(other, table), copy| {
            let stays = *other != reason || wanted.get(table) == Some(&copy.purpose);
            if !stays && matches!(copy.state, State::Running(Run { round: Some(_), .. })) {
                words.push_back(Word::Stop(*table));
            }
            stays
        });
        for (table, purpose) in wanted {
            self.wanted
                .entry((reason, table))
                .or_insert_with(|| Copy::of(purpose, kept.get(&table)));
        }
        if reason == Reason::Missing {
            self.make_way();
        }
    }

    /// Holds up what fills tables of which records are missing: the log waits for those.
    fn make_way(&mut self) {
        let missing: BTreeSet<TableId> = self.missing().map(|(table, _)| table).collect();
        for ((reason, table), copy) in &mut self.wanted {
            if *reason == Reason::Fill
                && missing.contains(table)
                && matches!(copy.state, State::Running(Run { round: Some(_), .. }))
            {
                copy.hold(None);
                self.words.push_back(Word::Stop(*table));
            }
        }
    }

    /// Returns a request that can be made at `now`, which then counts as made.
    pub fn ask(&mut self, now: Moment) -> Option<CopyRequest> {
        let until = |copy: &Copy| match copy.state {
            State::Waiting { until } => until.is_none_or(|until| until <= now),
            State::Running(_) | State::Done => false,
        };
        let due = self.ready().find(|(_, copy)| until(copy));
        let (reason, table) = due.map(|(key, _)| *key)?;
        let copy = self.wanted.get_mut(&(reason, table))?;
        self.rounds += 1;
        let round = self.rounds;
        copy.state = State::Running(Run {
            round: Some(round),
            expected: copy.after.clone(),
            pages: VecDeque::new(),
            merging: None,
            until: None,
        });
        Some(copy.request(table, round))
    }

    /// Returns the next thing that the source is to be told.
    pub fn word(&mut self) -> Option<Word> {
        self.words.pop_front()
    }

    /// Takes a page in; one that nobody waits for is left out. Returns whether it was within the
    /// window.
    pub fn page(&mut self, page: CopyPage) -> bool {
        let Some((is_late, run)) = self.running(page.table, Some(page.round)) else {
            return true;
        };
        if run.expected != page.after {
            return true;
        }
        if run.pages.len() + usize::from(run.merging.is_some()) >= COPY_WINDOW {
            return false;
        }
        *is_late = false;
        run.expected.clone_from(&page.next);
        run.pages.push_back((page.items, page.next));
        true
    }

    /// Returns a page that is to be merged: one of each copy at a time, in their order.
    pub fn merge(&mut self) -> Option<(TableId, Arrived)> {
        let ticket = self.tickets + 1;
        for ((_, table), copy) in &mut self.wanted {
            let Purpose { items: which, made } = copy.purpose;
            if let State::Running(run) = &mut copy.state
                && run.merging.is_none()
                && let Some((items, next)) = run.pages.pop_front()
            {
                run.merging = Some((ticket, next.clone()));
                self.tickets = ticket;
                let portion = made.map(|made| Portion { made, items: which });
                let arrived = Arrived {
                    ticket,
                    portion,
                    items,
                    next,
                };
                return Some((*table, arrived));
            }
        }
        None
    }

    /// Notes that the source cannot give `table` yet.
    pub fn later(&mut self, now: Moment, table: TableId) {
        let Some((is_late, run)) = self.running(table, None) else {
            return;
        };
        *is_late = true;
        let asked = run.round;
        let copies = self.wanted.iter_mut();
        let mut copies = copies.filter(|((_, other), _)| *other == table);
        let copy = copies.find(|(_, copy)| copy.round() == asked);
        if let Some((_, copy)) = copy {
            copy.hold(Some(now + COPY_RETRY));
            self.words.push_back(Word::Stop(table));
        }
    }

    /// Notes that a page is merged, or could not be. Where it was the last one, returns the table
    /// and what has been given of it.
    pub fn merged(&mut self, now: Moment, ticket: u64, merged: bool) -> Option<(TableId, Given)> {
        let mut copies = self.wanted.iter_mut();
        let ((_, table), copy, next, (round, until)) = copies.find_map(|(key, copy)| {
            let State::Running(run) = &mut copy.state else {
                return None;
            };
            let (_, next) = run.merging.take_if(|(its, _)| *its == ticket)?;
            let then = (run.round, run.until);
            Some((key, copy, next, then))
        })?;
        let table = *table;
        if !merged {
            copy.state = State::Waiting {
                until: Some(now + COPY_RETRY),
            };
            if round.is_some() {
                self.words.push_back(Word::Stop(table));
            }
            return None;
        }
        let Some(next) = next else {
            copy.state = State::Done;
            let Purpose { items, made } = copy.purpose;
            return Some(match made {
                Some(made) => (table, Given::Portion(Portion { made, items })),
                None => (table, Given::Missing(items)),
            });
        };
        copy.after = Some(next);
        match round {
            Some(round) => {
                let taken = copy.request(table, round);
                self.words.push_back(Word::Taken(taken));
            }
            None => copy.state = State::Waiting { until },
        }
        None
    }

    /// Notes that the connection is gone: what was asked will not come.
    pub fn down(&mut self) {
        self.words.clear();
        for copy in self.wanted.values_mut() {
            if copy.round().is_some() {
                copy.hold(None);
            }
        }
    }

    /// Returns when the next request can be made that cannot be made before. While enough copies
    /// run, only their pages make room, not time.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let waits = self.ready().filter_map(|(_, copy)| match copy.state {
            State::Waiting { until } => until,
            State::Running(_) | State::Done => None,
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
    /// which another one runs.
    fn ready(&self) -> impl Iterator<Item = (&(Reason, TableId), &Copy)> {
        let copies = self.wanted.iter();
        let running = copies.filter(|(_, copy)| matches!(copy.state, State::Running(_)));
        let busy: Vec<TableId> = running.map(|((_, table), _)| *table).collect();
        let has_room = busy.len() < COPIES_MAX;
        let copies = self.wanted.iter();
        copies.filter(move |((_, table), _)| has_room && !busy.contains(table))
    }

    /// Returns the copy of a table whose pages come, of this round where one is given: whether its
    /// source could give no more, and what has come.
    fn running(&mut self, table: TableId, round: Option<u32>) -> Option<(&mut bool, &mut Run)> {
        let copies = self.wanted.iter_mut();
        let mut copies = copies.filter(|((_, other), _)| *other == table);
        copies.find_map(|(_, copy)| match &mut copy.state {
            State::Running(run)
                if run.round.is_some() && (round.is_none() || run.round == round) =>
            {
                Some((&mut copy.is_late, run))
            }
            State::Running(_) | State::Waiting { .. } | State::Done => None,
        })
    }
}

impl Copy {
    /// Makes a copy, which goes on where an earlier process has left it.
    fn of(purpose: Purpose, kept: Option<&Kept>) -> Self {
        let portion = |made| Portion {
            made,
            items: purpose.items,
        };
        let kept = kept.filter(|kept| purpose.made.map(portion) == Some(kept.portion));
        let after = kept.and_then(|kept| kept.after.clone());
        let state = match (kept, &after) {
            (Some(_), None) => State::Done,
            (Some(_), Some(_)) | (None, _) => State::Waiting { until: None },
        };
        Self {
            purpose,
            after,
            is_late: false,
            state,
        }
    }

    fn request(&self, table: TableId, round: u32) -> CopyRequest {
        CopyRequest {
            table,
            round,
            after: self.after.clone(),
            items: self.purpose.items,
        }
    }

    const fn round(&self) -> Option<u32> {
        match &self.state {
            State::Running(run) => run.round,
            State::Waiting { .. } | State::Done => None,
        }
    }

    /// Waits for no more pages: what is being merged is, and what else has come is left out.
    fn hold(&mut self, until: Option<Moment>) {
        match &mut self.state {
            State::Running(run) if run.merging.is_some() => {
                run.round = None;
                run.pages.clear();
                run.until = until;
            }
            State::Running(_) => self.state = State::Waiting { until },
            State::Waiting { .. } | State::Done => {}
        }
    }

    fn percent(&self) -> u8 {
        match self.state {
            State::Done => 100,
            State::Waiting { .. } | State::Running(_) => copy::percent(self.after.as_deref()),
        }
    }
}

#[cfg(test)]
mod tests;
