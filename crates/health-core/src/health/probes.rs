//! Starting probes and taking in how they ended.
//!
//! The probing itself is the driver's; the hysteresis is the prober's.

use std::sync::Arc;

use base::region::RegionId;
use clock::time::Moment;

use crate::check::{CheckKey, Checks, Patience};
use crate::health::{Attempt, Health, InputError, Now, Output, Probe, ProbeTarget};
use crate::judge::Hearing;
use crate::limits::{ENDPOINT_INTERVAL, ENDPOINT_PATIENCE, PROBE_LOST_AFTER, PROBE_START_SPREAD};
use crate::observation::{Failure, Outcome};
use crate::prober::Effect;
use crate::schedule::{Subject, Told};

impl Health {
    /// Takes a configuration over, unless it is older than the one in force.
    pub(super) fn set_checks(&mut self, now: Now, checks: &Checks) -> Result<(), InputError> {
        let given = checks.generation();
        match self.checks_generation {
            Some(held) if given < held => return Err(InputError::OldChecks { given, held }),
            Some(_) | None => self.checks_generation = Some(given),
        }
        let replaced = self.book.replace(now.wall, checks.specs());
        for key in replaced.leave {
            self.schedule.cancel(Subject::Check(key));
        }
        for key in replaced.probe {
            let Some((_, endpoint)) = self.book.to_probe(key) else {
                continue;
            };
            let interval = endpoint.interval.as_duration();
            let subject = Subject::Check(key);
            if self.schedule.knows(subject) {
                // A shorter interval than the one it was planned by counts at once.
                self.schedule.hasten(now.moment + interval, subject);
            } else {
                let at = now.moment + self.random.below(interval.min(PROBE_START_SPREAD));
                self.schedule.plan(at, subject);
            }
        }
        self.news = true;
        Ok(())
    }

    /// Takes in how a probe ended. One that was given up before is no news.
    pub(super) fn probed(&mut self, now: Now, attempt: Attempt, outcome: Outcome) {
        let Some(finished) = self.schedule.finish(attempt) else {
            return;
        };
        match (finished.subject, finished.told) {
            (Subject::Check(key), Told::InTime) => self.check_probed(now, key, outcome),
            (Subject::Region(region), Told::InTime) => self.region_probed(now, region, outcome),
            // How things were before we slept is no news, and how long they took is unknown.
            (Subject::Check(key), Told::AfterSleep) => {
                if self.book.to_probe(key).is_some() {
                    self.schedule.plan(now.moment, Subject::Check(key));
                }
            }
            (Subject::Region(region), Told::AfterSleep) => self.question(now.moment, region),
        }
    }

    fn check_probed(&mut self, now: Now, key: CheckKey, outcome: Outcome) {
        // The interval runs from the answer, so that probes of one check never overlap.
        let Some((_, endpoint)) = self.book.to_probe(key) else {
            return;
        };
        let next = now.moment + endpoint.interval.as_duration();
        self.schedule.plan(next, Subject::Check(key));
        if self.book.probed(now.wall, key, outcome) == Effect::Changed {
            self.news = true;
            self.beat_soon(now);
        }
    }

    fn region_probed(&mut self, now: Now, region: RegionId, outcome: Outcome) {
        let Some(peer) = self.peers.get_mut(&region) else {
            return;
        };
        peer.endpoint_said(outcome);
        self.news = true;
        self.question(now.moment + ENDPOINT_INTERVAL, region);
    }

    /// Asks the endpoint of a silent region, if it has one.
    pub(super) fn question(&mut self, at: Moment, region: RegionId) {
        let asks = self.peers.get(&region).is_some_and(|peer| {
            let silent = peer.hearing() >= Hearing::Doubted;
            peer.has_endpoint && silent && peer.departure().is_none()
        });
        if asks {
            self.schedule.plan(at, Subject::Region(region));
        }
    }

    pub(super) fn cancel_question(&mut self, region: RegionId) {
        self.schedule.cancel(Subject::Region(region));
    }

    /// Looks at a region at once, since somebody saw a connection to it break.
    pub(super) fn doubt(&mut self, now: Now, region: RegionId) {
        if let Some(peer) = self.peers.get_mut(&region) {
            peer.doubt();
            if peer.has_endpoint {
                self.schedule.hasten(now.moment, Subject::Region(region));
            }
        }
    }

    /// Counts probes that nobody ever answered as failures.
    pub(super) fn give_up_lost_probes(&mut self, now: Now) {
        while let Some(attempt) = self.schedule.take_lost(now.moment) {
            self.probed(now, attempt, Outcome::Failure(Failure::Lost));
        }
    }

    /// Starts every probe that is due and has room.
    pub(super) fn start_due_probes(&mut self, now: Now) {
        while let Some(subject) = self.schedule.take_due(now.moment) {
            let (target, patience) = match subject {
                Subject::Check(key) => {
                    let Some((spec, endpoint)) = self.book.to_probe(key) else {
                        continue;
                    };
                    (ProbeTarget::Check(Arc::clone(spec)), endpoint.patience())
                }
                Subject::Region(region) => {
                    let Some(peer) = self.peers.get(&region) else {
                        continue;
                    };
                    if peer.hearing() < Hearing::Doubted {
                        continue;
                    }
                    (ProbeTarget::Region(region), ENDPOINT)
                }
            };
            let until = now.moment + patience.total + PROBE_LOST_AFTER;
            let attempt = self.schedule.start(subject, until);
            self.outputs.push_back(Output::Probe(Probe {
                attempt,
                target,
                patience,
            }));
        }
    }

    /// Returns whether a probe of this check is planned or under way.
    pub(super) fn knows_check(&self, key: CheckKey) -> bool {
        self.schedule.knows(Subject::Check(key))
    }
}

const ENDPOINT: Patience = Patience {
    connect: ENDPOINT_PATIENCE,
    status: ENDPOINT_PATIENCE,
    body: ENDPOINT_PATIENCE,
    total: ENDPOINT_PATIENCE,
};
