//! Catching up with a log whose beginning is gone: the tables are copied in its place.
//!
//! It copies nothing itself. Pages are read at the peer after it has said where its log stands,
//! so together they hold all that the log says up to there; the log goes on from there. What a peer
//! that was lost itself has not got back whole holds up no log: it is owed, durably, and copied
//! again when it is whole.

use std::collections::BTreeSet;

use base::name::TableId;

use crate::frame::Trimmed;
use crate::frame::copy::CopyItems;
use crate::link::copies::{Copies, Given};
use crate::link::receive::{Output, Receiver};
use crate::link::{Now, Owed};
use crate::vector::Seq;

/// One catching up; it outlives connections.
#[derive(Clone, Debug)]
pub(super) struct CatchUp {
    /// Tells it from those before: a skip that one of them asked for ends that one alone.
    number: u64,
    /// The first position that the peer has left.
    first: Seq,
    items: CopyItems,
    /// Where the peer's log stood before the first page was asked for.
    to: Option<Seq>,
    /// The tables that are copied, once they are known.
    tables: Option<BTreeSet<TableId>>,
    /// The skip has been asked for over this connection.
    skips: bool,
}

impl CatchUp {
    pub(super) const fn new(number: u64, first: Seq, items: CopyItems) -> Self {
        Self {
            number,
            first,
            items,
            to: None,
            tables: None,
            skips: false,
        }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) const fn first(&self) -> Seq {
        self.first
    }

    /// Notes that the peer's log stands at `head`.
    pub(super) fn reach(&mut self, head: Seq) {
        if self.to.is_none() && self.first.0 <= head.0.saturating_add(1) {
            self.to = Some(head);
        }
    }

    /// Returns whether pages may be asked for.
    pub(super) const fn has_begun(&self) -> bool {
        self.to.is_some()
    }

    /// Takes over which tables are to be copied.
    pub(super) fn share(&mut self, tables: &BTreeSet<TableId>, copies: &mut Copies) {
        if self.tables.as_ref() != Some(tables) {
            let owed = tables.iter().map(|table| (*table, self.items));
            copies.replace_missing(&owed.collect());
            self.tables = Some(tables.clone());
        }
    }

    /// Returns where the log goes on, once for each connection, when all has come that the peer
    /// has, and what it has still to give.
    pub(super) fn skip(&mut self, copies: &Copies) -> Option<(Seq, Owed)> {
        let to = self.to?;
        let is_due = self.tables.is_some() && !self.skips && copies.has_replaced();
        self.skips |= is_due;
        is_due.then(|| (to, copies.late()))
    }
}

impl Receiver {
    /// Catches up by copies with a log whose beginning is gone.
    pub(super) fn gone(&mut self, trimmed: Trimmed) {
        let wanted = self.wants.get(&self.peer);
        let round = wanted.is_some_and(|wanted| wanted.round == trimmed.round);
        if trimmed.origin != self.peer || !round {
            return;
        }
        let (applied, first) = (self.local.applied.at(self.peer), trimmed.first);
        if self.catch_up.is_some() {
            return;
        }
        let items = if applied == Seq(0) {
            CopyItems::All
        } else if applied.generation() < first.generation() {
            // The directory before this one is lost. What it had written came by its log, and
            // nothing that was deleted since is in this one.
            CopyItems::OwnOnly
        } else {
            return self.outputs.push_back(Output::TooOld { first });
        };
        self.catch_up(first, items);
    }

    /// Goes on with catching up over a connection that is made, or starts where this directory
    /// has taken the place of a lost one: what that one wrote is in no log that is asked for.
    pub(super) fn begin_catch_up(&mut self) {
        let is_missed = self.local.begins > Seq(0) && !self.local.copied.contains(&self.peer);
        match &mut self.catch_up {
            Some(catch_up) => catch_up.skips = false,
            None if is_missed => self.catch_up(Seq(1), CopyItems::All),
            None => {}
        }
    }

    /// Catches up from the first page: the peer has another directory than the one that has given
    /// pages, and said where its log stands.
    pub(super) fn catch_up_anew(&mut self) {
        if let Some(CatchUp { items, .. }) = self.catch_up {
            self.catch_up(Seq(1), items);
        }
    }

    fn catch_up(&mut self, first: Seq, items: CopyItems) {
        self.copies.replace_missing(&Owed::new());
        self.catch_ups += 1;
        self.catch_up = Some(CatchUp::new(self.catch_ups, first, items));
    }

    pub(super) fn skipped(&mut self, ticket: u64, skipped: bool) {
        let is_its = |catch_up: &mut CatchUp| skipped && catch_up.number == ticket;
        if self.catch_up.take_if(is_its).is_some() {
            // What is owed is asked for from its beginning.
            self.copies.replace_missing(&Owed::new());
            self.ask_for_owed();
            self.restart(self.peer, None);
        }
    }

    /// Notes that a page is merged, or could not be.
    pub(super) fn merged(&mut self, now: Now, ticket: u64, merged: bool) {
        match self.copies.merged(now.moment, ticket, merged) {
            Some((table, Given::Portion(portion))) => {
                self.outputs.push_back(Output::Filled { table, portion });
            }
            Some((table, Given::Missing(items))) if self.catch_up.is_none() => {
                self.outputs.push_back(Output::Repaid { table, items });
            }
            Some((_, Given::Missing(_))) | None => {}
        }
    }

    /// Asks for what the peer has still to give in the place of records that were skipped.
    pub(super) fn ask_for_owed(&mut self) {
        if self.catch_up.is_none() {
            let none = Owed::new();
            let owed = self.local.owed.get(&self.peer).unwrap_or(&none);
            self.copies.replace_missing(owed);
        }
    }

    /// Returns whether what is copied goes on where the peer's log does: pages that are read
    /// before it is known where that is would miss what is written between.
    pub(super) fn may_copy(&self) -> bool {
        let applied = self.local.applied.at(self.peer);
        match (&self.catch_up, self.head) {
            (Some(catch_up), _) => catch_up.has_begun(),
            (None, None) => false,
            (None, Some(head)) => {
                head == Seq(0) || (applied > Seq(0) && head.generation() == applied.generation())
            }
        }
    }
}
