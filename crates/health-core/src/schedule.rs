//! Which probe starts when, and which are under way: never two of one thing.
//!
//! It knows no verdict and starts nothing itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::region::RegionId;
use clock::time::Moment;

use crate::check::CheckKey;
use crate::limits::PROBES_INFLIGHT_MAX;

/// The number of one probe. No two probes of a core have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u64);

/// What a probe looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// The endpoint of a silent region; these go first.
    Region(RegionId),
    /// A check.
    Check(CheckKey),
}

/// Planned probes and those under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    due: BTreeSet<(Moment, Subject)>,
    planned: BTreeMap<Subject, Moment>,
    flying: BTreeMap<Attempt, Flight>,
    attempts: u64,
}

/// A probe under way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    subject: Subject,
    /// When it is given up.
    until: Moment,
    told: Told,
}

/// A probe that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) subject: Subject,
    pub(crate) told: Told,
}

/// Whether a probe's outcome came while this process was awake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It did.
    InTime,
    /// This process slept in between.
    AfterSleep,
}

impl Schedule {
    /// Plans a probe of `subject`, unless one is planned or under way.
    pub(crate) fn plan(&mut self, at: Moment, subject: Subject) {
        if self.planned.contains_key(&subject) || self.is_flying(subject) {
            return;
        }
        self.planned.insert(subject, at);
        self.due.insert((at, subject));
    }

    /// Moves a planned probe forward to `at`, or plans it; one under way stays as it is.
    pub(crate) fn hasten(&mut self, at: Moment, subject: Subject) {
        if self
            .planned
            .get(&subject)
            .is_some_and(|planned| at < *planned)
        {
            self.cancel(subject);
        }
        self.plan(at, subject);
    }

    /// Forgets a planned probe. One under way ends by itself.
    pub(crate) fn cancel(&mut self, subject: Subject) {
        if let Some(at) = self.planned.remove(&subject) {
            self.due.remove(&(at, subject));
        }
    }

    /// Takes a probe that is due, if there is room for one more.
    pub(crate) fn take_due(&mut self, now: Moment) -> Option<Subject> {
        let (at, subject) = *self.due.first()?;
        if at > now || self.is_full() {
            return None;
        }
        self.cancel(subject);
        Some(subject)
    }

    /// Notes that a probe of `subject` starts, and is given up at `until`.
    pub(crate) fn start(&mut self, subject: Subject, until: Moment) -> Attempt {
        debug_assert!(!self.is_flying(subject), "probes never overlap");
        self.attempts += 1;
        let attempt = Attempt(self.attempts);
        let flight = Flight {
            subject,
            until,
            told: Told::InTime,
        };
        self.flying.insert(attempt, flight);
        attempt
    }

    /// Notes that a probe ended. `None` for one that was given up before.
    pub(crate) fn finish(&mut self, attempt: Attempt) -> Option<Finished> {
        let Flight { subject, told, .. } = self.flying.remove(&attempt)?;
        Some(Finished { subject, told })
    }

    /// Gives up one probe that has taken too long.
    pub(crate) fn take_lost(&mut self, now: Moment) -> Option<Attempt> {
        self.flying
            .iter()
            .find(|(_, flight)| flight.until <= now)
            .map(|(attempt, _)| *attempt)
    }

    /// Leaves out of the probes' time a time in which this process itself slept, and marks them.
    pub(crate) fn forgive(&mut self, slept: Duration) {
        for flight in self.flying.values_mut() {
            flight.until = flight.until + slept;
            flight.told = Told::AfterSleep;
        }
    }

    /// Returns when there is something to do next.
    pub(crate) fn next(&self) -> Option<Moment> {
        let due = self.due.first().filter(|_| !self.is_full());
        let due = due.map(|(at, _)| *at);
        let lost = self.flying.values().map(|flight| flight.until).min();
        due.into_iter().chain(lost).min()
    }

    /// Returns whether a probe of `subject` is planned or under way.
    pub(crate) fn knows(&self, subject: Subject) -> bool {
        self.planned.contains_key(&subject) || self.is_flying(subject)
    }

    fn is_flying(&self, subject: Subject) -> bool {
        self.flying.values().any(|flight| flight.subject == subject)
    }

    fn is_full(&self) -> bool {
        self.flying.len() >= PROBES_INFLIGHT_MAX
    }

    /// Checks what must hold between the three collections.
    pub(crate) fn debug_assert_invariants(&self) {
        debug_assert_eq!(self.due.len(), self.planned.len(), "each plan is due once");
        debug_assert!(
            self.flying.len() <= PROBES_INFLIGHT_MAX,
            "probes are bounded"
        );
        let subjects: BTreeSet<Subject> =
            self.flying.values().map(|flight| flight.subject).collect();
        debug_assert_eq!(subjects.len(), self.flying.len(), "probes never overlap");
        debug_assert!(
            self.planned
                .keys()
                .all(|subject| !subjects.contains(subject)),
            "what is under way is not planned"
        );
    }
}

#[cfg(test)]
mod tests;
