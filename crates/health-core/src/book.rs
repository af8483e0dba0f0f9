//! All checks: our probers, the regions' votes, the verdicts.
//!
//! It plans no probe and does not know which regions may vote; that comes in.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::region::RegionId;
use clock::time::{Moment, WallTime};

use crate::check::{CalculatedCheck, CheckId, CheckKey, CheckKind, CheckSpec, EndpointCheck};
use crate::gossip::{SeenRow, VoteRow};
use crate::limits::{CALCULATED_DEPTH_MAX, VOTE_LIFE};
use crate::observation::{Observation, Outcome};
use crate::prober::{Effect, Prober, Status};
use crate::view::{CheckBecause, CheckVerdict, RegionVote};
use crate::vote::Tally;

/// All checks of the project.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    checks: BTreeMap<CheckKey, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    spec: Arc<CheckSpec>,
    /// Whom a calculated check counts.
    children: Vec<CheckKey>,
    prober: Prober,
    votes: BTreeMap<RegionId, Ballot>,
    /// The verdict before any inversion.
    raw: Status,
    status: Status,
    because: CheckBecause,
    wavering: bool,
    since: WallTime,
}

/// Another region's vote.
#[derive(Clone, Copy, Debug)]
struct Ballot {
    status: Status,
    wavering: bool,
    last: Observation,
    last_failure: Option<Observation>,
    heard_at: Moment,
    order: (u64, u64),
}

/// Who may vote at a moment.
pub(crate) struct Electorate<'a> {
    pub(crate) now: Moment,
    pub(crate) ourselves: RegionId,
    pub(crate) counts: &'a dyn Fn(RegionId) -> bool,
    /// Whether silence takes a vote away; only a planted mistake says no.
    pub(crate) votes_expire: bool,
}

/// What replacing the configuration changed.
#[derive(Debug, Default)]
pub(crate) struct Replaced {
    /// Checks that must be probed from now on.
    pub(crate) probe: Vec<CheckKey>,
    /// Checks that must not.
    pub(crate) leave: Vec<CheckKey>,
}

impl Book {
    /// Replaces the configuration; a check that stays keeps what is known of it.
    pub(crate) fn replace(&mut self, wall: WallTime, specs: &[Arc<CheckSpec>]) -> Replaced {
        let mut old = std::mem::take(&mut self.checks);
        let mut replaced = Replaced::default();
        for spec in specs {
            let key = spec.id.key();
            let entry = match old.remove(&key) {
                Some(entry) => Entry {
                    spec: Arc::clone(spec),
                    children: children(spec),
                    ..entry
                },
                None => Entry::new(wall, Arc::clone(spec)),
            };
            match entry.probed() {
                Some(_) => replaced.probe.push(key),
                None => replaced.leave.push(key),
            }
            self.checks.insert(key, entry);
        }
        replaced.leave.extend(old.into_keys());
        replaced
    }

    /// Returns the check of `key`, if it is one to probe.
    pub(crate) fn to_probe(&self, key: CheckKey) -> Option<(&Arc<CheckSpec>, &EndpointCheck)> {
        let entry = self.checks.get(&key)?;
        Some((&entry.spec, entry.probed()?))
    }

    /// Takes in the outcome of our own probe.
    pub(crate) fn probed(&mut self, wall: WallTime, key: CheckKey, outcome: Outcome) -> Effect {
        let Some(entry) = self.checks.get_mut(&key) else {
            return Effect::Same;
        };
        let CheckKind::Endpoint(EndpointCheck { threshold, .. }) = entry.spec.kind else {
            return Effect::Same;
        };
        let seen = Observation { outcome, at: wall };
        entry.prober.observe(seen, threshold)
    }

    /// Takes in another region's votes. `order` is the datagram's place among its sender's.
    /// Returns whether any of them is news.
    pub(crate) fn heard(
        &mut self,
        now: Moment,
        wall: WallTime,
        from: RegionId,
        order: (u64, u64),
        votes: &[VoteRow],
    ) -> bool {
        let mut news = false;
        for VoteRow { check, seen } in votes {
            let Some(entry) = self.checks.get_mut(check) else {
                // The check's configuration has not arrived here yet; the vote comes again.
                continue;
            };
            let before = entry.votes.get(&from).copied();
            if before.is_some_and(|ballot| ballot.order > order) {
                continue;
            }
            let Some(seen) = seen else {
                news |= entry.votes.remove(&from).is_some();
                continue;
            };
            let ballot = Ballot::new(now, wall, order, seen, before);
            news |= before.is_none_or(|before| before.differs(&ballot));
            entry.votes.insert(from, ballot);
        }
        news
    }

    /// Forgets the votes of a region that is no longer one.
    pub(crate) fn forget(&mut self, region: RegionId) {
        for entry in self.checks.values_mut() {
            entry.votes.remove(&region);
        }
    }

    /// Decides every check anew. Returns whether any verdict or reason changed.
    pub(crate) fn decide(&mut self, wall: WallTime, electorate: &Electorate<'_>) -> bool {
        let mut changed = false;
        for entry in self.checks.values_mut() {
            if let CheckKind::Endpoint(_) = entry.spec.kind {
                changed |= entry.decide(wall, electorate);
            }
        }
        for (key, (status, because)) in self.calculate() {
            if let Some(entry) = self.checks.get_mut(&key) {
                changed |= entry.set(wall, status, because);
            }
        }
        changed
    }

    /// Returns the verdicts of the calculated checks, each after its children.
    ///
    /// Rounds repeat until nothing moves; their bound ends a circle of checks where it stands.
    fn calculate(&self) -> BTreeMap<CheckKey, (Status, CheckBecause)> {
        let mut verdicts = BTreeMap::new();
        for _ in 0..CALCULATED_DEPTH_MAX {
            let mut moved = false;
            for (key, entry) in &self.checks {
                if let CheckKind::Calculated(calculated) = &entry.spec.kind {
                    let verdict = self.count(entry, calculated, &verdicts);
                    moved |= verdicts.insert(*key, verdict) != Some(verdict);
                }
            }
            if !moved {
                break;
            }
        }
        verdicts
    }

    fn count(
        &self,
        entry: &Entry,
        calculated: &CalculatedCheck,
        verdicts: &BTreeMap<CheckKey, (Status, CheckBecause)>,
    ) -> (Status, CheckBecause) {
        if entry.spec.disabled {
            let status = turned(Status::Healthy, entry.spec.inverted);
            return (status, CheckBecause::Disabled);
        }
        let status_of = |key: &CheckKey| match verdicts.get(key) {
            Some((status, _)) => *status,
            // One that is not known counts as healthy, as a check without data does.
            None => self
                .checks
                .get(key)
                .map_or(Status::Healthy, |child| child.status),
        };
        let healthy = entry
            .children
            .iter()
            .filter(|child| status_of(child) == Status::Healthy)
            .count();
        let threshold = calculated.threshold();
        let raw = if healthy >= usize::from(threshold) {
            Status::Healthy
        } else {
            Status::Unhealthy
        };
        let because = CheckBecause::Counted {
            healthy,
            of: entry.children.len(),
            threshold,
        };
        (turned(raw, entry.spec.inverted), because)
    }

    /// Returns our own votes, one for each check to gossip about, in the order of their keys.
    pub(crate) fn own_votes(&self, wall: WallTime) -> Vec<VoteRow> {
        self.checks
            .iter()
            .filter(|(_, entry)| matches!(entry.spec.kind, CheckKind::Endpoint(_)))
            .map(|(key, entry)| VoteRow {
                check: *key,
                seen: entry.seen(wall),
            })
            .collect()
    }

    /// Returns every verdict.
    pub(crate) fn verdicts(&self, electorate: &Electorate<'_>) -> BTreeMap<CheckId, CheckVerdict> {
        self.checks
            .values()
            .map(|entry| (entry.spec.id.clone(), entry.verdict(electorate)))
            .collect()
    }

    /// Checks what must hold in the book; `planned` says whether a check is to be probed.
    pub(crate) fn debug_assert_invariants(&self, planned: impl Fn(CheckKey) -> bool) {
        if !cfg!(debug_assertions) {
            return;
        }
        for (key, entry) in &self.checks {
            debug_assert_eq!(
                *key,
                entry.spec.id.key(),
                "a check stands under its own key"
            );
            if entry.probed().is_some() {
                debug_assert!(planned(*key), "a check to probe is planned or under way");
            }
            if entry.because == CheckBecause::Disabled && entry.spec.disabled {
                debug_assert_eq!(
                    entry.status,
                    turned(Status::Healthy, entry.spec.inverted),
                    "a disabled check is healthy before inversion"
                );
            }
        }
    }
}

impl Entry {
    fn new(wall: WallTime, spec: Arc<CheckSpec>) -> Self {
        let status = turned(Status::Healthy, spec.inverted);
        Self {
            children: children(&spec),
            spec,
            prober: Prober::new(),
            votes: BTreeMap::new(),
            raw: Status::Healthy,
            status,
            because: CheckBecause::NoData,
            wavering: false,
            since: wall,
        }
    }

    /// Returns what to probe, if this is a check to probe.
    fn probed(&self) -> Option<&EndpointCheck> {
        match &self.spec.kind {
            CheckKind::Endpoint(endpoint) if !self.spec.disabled => Some(endpoint),
            CheckKind::Endpoint(_) | CheckKind::Calculated(_) => None,
        }
    }

    /// Decides an endpoint check.
    fn decide(&mut self, wall: WallTime, electorate: &Electorate<'_>) -> bool {
        if self.spec.disabled {
            self.raw = Status::Healthy;
            self.wavering = false;
            let status = turned(Status::Healthy, self.spec.inverted);
            return self.set(wall, status, CheckBecause::Disabled);
        }
        let own = (electorate.counts)(electorate.ourselves)
            .then(|| self.prober.vote())
            .flatten()
            .map(|status| (status, self.prober.is_wavering()));
        let others = self
            .votes
            .iter()
            .filter(|(region, ballot)| ballot.counts(**region, electorate))
            .map(|(_, ballot)| (ballot.status, ballot.wavering));
        let mut wavering = false;
        let tally = Tally::of(own.into_iter().chain(others).map(|(status, wavers)| {
            wavering |= wavers;
            status
        }));
        let because = match tally.verdict() {
            Some(status) => {
                self.raw = status;
                CheckBecause::Voted(tally)
            }
            // Nobody reports: the last verdict stands.
            None => CheckBecause::NoData,
        };
        let wavered = std::mem::replace(&mut self.wavering, wavering);
        let changed = self.set(wall, turned(self.raw, self.spec.inverted), because);
        changed || wavered != wavering
    }

    fn set(&mut self, wall: WallTime, status: Status, because: CheckBecause) -> bool {
        let turned = status != self.status;
        let changed = turned || because != self.because;
        if turned {
            self.since = wall;
        }
        self.status = status;
        self.because = because;
        changed
    }

    fn seen(&self, wall: WallTime) -> Option<SeenRow> {
        let (status, last) = (self.prober.vote()?, self.prober.last()?);
        let age = wall.as_micros().saturating_sub(last.at.as_micros()) / 100_000;
        Some(SeenRow {
            status,
            wavering: self.prober.is_wavering(),
            outcome: last.outcome,
            age_tenths: u16::try_from(age.max(0)).unwrap_or(u16::MAX),
        })
    }

    fn verdict(&self, electorate: &Electorate<'_>) -> CheckVerdict {
        let own = self.prober.vote().zip(self.prober.last());
        let own = own.map(|(status, last)| RegionVote {
            status,
            wavering: self.prober.is_wavering(),
            counts: (electorate.counts)(electorate.ourselves),
            last,
            last_failure: self.prober.last_failure(),
        });
        let mut votes: BTreeMap<RegionId, RegionVote> = self
            .votes
            .iter()
            .map(|(region, ballot)| (*region, ballot.as_vote(*region, electorate)))
            .collect();
        votes.extend(own.map(|own| (electorate.ourselves, own)));
        CheckVerdict {
            status: self.status,
            since: self.since,
            because: self.because,
            wavering: self.wavering,
            votes,
        }
    }
}

impl Ballot {
    fn new(
        now: Moment,
        wall: WallTime,
        order: (u64, u64),
        seen: &SeenRow,
        before: Option<Self>,
    ) -> Self {
        let age = i64::from(seen.age_tenths) * 100_000;
        let last = Observation {
            outcome: seen.outcome,
            at: WallTime::from_micros(wall.as_micros().saturating_sub(age)),
        };
        let last_failure = if seen.outcome.is_success() {
            before.and_then(|before| before.last_failure)
        } else {
            Some(last)
        };
        Self {
            status: seen.status,
            wavering: seen.wavering,
            last,
            last_failure,
            heard_at: now,
            order,
        }
    }

    fn differs(&self, other: &Self) -> bool {
        (self.status, self.wavering) != (other.status, other.wavering)
    }

    fn counts(&self, region: RegionId, electorate: &Electorate<'_>) -> bool {
        let fresh = electorate.now.since(self.heard_at) < VOTE_LIFE;
        !electorate.votes_expire || fresh && (electorate.counts)(region)
    }

    fn as_vote(&self, region: RegionId, electorate: &Electorate<'_>) -> RegionVote {
        RegionVote {
            status: self.status,
            wavering: self.wavering,
            counts: self.counts(region, electorate),
            last: self.last,
            last_failure: self.last_failure,
        }
    }
}

fn children(spec: &CheckSpec) -> Vec<CheckKey> {
    match &spec.kind {
        CheckKind::Endpoint(_) => Vec::new(),
        CheckKind::Calculated(calculated) => {
            calculated.children().iter().map(CheckId::key).collect()
        }
    }
}

fn turned(status: Status, inverted: bool) -> Status {
    match (status, inverted) {
        (Status::Healthy, false) | (Status::Unhealthy, true) => Status::Healthy,
        (Status::Unhealthy, false) | (Status::Healthy, true) => Status::Unhealthy,
    }
}

#[cfg(test)]
mod tests;
