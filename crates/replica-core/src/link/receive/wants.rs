//! Whose records a receiver asks its peer for: the peer's own, and those of regions out of reach.
//!
//! It receives nothing.

use std::collections::BTreeSet;

use base::region::RegionId;

use crate::frame::{Frame, Want};
use crate::link::receive::{Parked, Receiver, Wanted};
use crate::link::{Local, Now};
use crate::vector::Seq;

impl Receiver {
    /// Takes over where this region stands.
    pub(super) fn learn(&mut self, local: Local) {
        let owed = self.local.owed != local.owed;
        let begins = self.local.begins != local.begins;
        let met = self.local.met != local.met;
        let directory = |local: &Local| local.met.get(&self.peer).copied();
        let is_other = directory(&self.local) != directory(&local);
        self.local = local;
        if is_other {
            self.catch_up_anew();
        }
        if begins && self.pulse.is_some() {
            // This directory takes a lost one's place, and learns it while the link is up: what
            // has come so far was asked for as by the first.
            self.catch_up = None;
            self.begin_catch_up();
            self.wants_changed = true;
        }
        // Whoever is asked for a log is told which directory's it is to be.
        self.wants_changed |= met && self.wants.len() > 1;
        if owed {
            self.ask_for_owed();
        }
    }

    pub(super) fn relay(&mut self, origins: &BTreeSet<RegionId>) {
        let dropped: Vec<_> = self
            .wants
            .keys()
            .filter(|origin| **origin != self.peer && !origins.contains(origin))
            .copied()
            .collect();
        for origin in dropped {
            self.inbox.throw_away(origin);
            self.wants.remove(&origin);
            self.wants_changed = true;
        }
        for origin in origins {
            if !self.wants.contains_key(origin) {
                self.restart(*origin, None);
            }
        }
    }

    /// Starts a round of `origin`, at once or after a rest.
    pub(super) fn restart(&mut self, origin: RegionId, parked: Option<Parked>) {
        self.inbox.throw_away(origin);
        self.rounds += 1;
        let round = self.rounds;
        self.wants.insert(origin, Wanted { round, parked });
        self.wants_changed = true;
    }

    pub(super) fn say_wants(&mut self, now: Now) {
        let local = &self.local;
        let rests = |origin: &RegionId| {
            if *origin == self.peer {
                // Until what came in copies counts as applied, the log would have to start at its
                // first.
                return self.catch_up.is_some();
            }
            // In a lost directory's place, this region may let in an empty directory of a region
            // that is lost as well, as the first. The log of the one before must not have come by
            // way of others then: they are one origin, and positions would mean two records.
            local.begins > Seq(0) && !local.met.contains_key(origin)
        };
        let flowing =
            |(origin, wanted): &(&RegionId, &Wanted)| wanted.parked.is_none() && !rests(origin);
        let wants = self.wants.iter().filter(flowing);
        let wants = wants.map(|(origin, wanted)| Want {
            origin: *origin,
            round: wanted.round,
            after: local.applied.at(*origin),
            last: local.lasts.get(origin).copied().unwrap_or_default(),
            directory: local.met.get(origin).copied().unwrap_or_default(),
        });
        let frame = Frame::Want(wants.collect());
        self.say(now, frame);
    }
}
