//! One region's own verdict on one endpoint, with hysteresis both ways.
//!
//! It plans no probe and counts no other region's vote.
//!
//! ```text
//!              threshold failures in a row
//!   Healthy ────────────────────────────────► Unhealthy
//!      ▲                                          │
//!      └──────── threshold successes in a row ────┘
//! ```
//! Source: Route 53 developer guide, "How Route 53 determines whether a health check is healthy".

use crate::check::FailureThreshold;
use crate::observation::Observation;

/// A verdict on one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It answers as it should.
    Healthy,
    /// It does not.
    Unhealthy,
}

/// What one region thinks of one endpoint.
#[derive(Clone, Debug)]
pub struct Prober {
    status: Status,
    /// Observations in a row that speak against `status`.
    against: u8,
    last: Option<Observation>,
    last_failure: Option<Observation>,
}

/// Whether an observation changed what other regions should hear at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The vote is as before.
    Same,
    /// The vote changed: it was cast for the first time, turned, or began or ceased to waver.
    Changed,
}

impl Prober {
    /// Makes the prober of a check: healthy until a probe says otherwise.
    pub fn new() -> Self {
        Self {
            status: Status::Healthy,
            against: 0,
            last: None,
            last_failure: None,
        }
    }

    /// Takes one observation in.
    pub fn observe(&mut self, seen: Observation, threshold: FailureThreshold) -> Effect {
        let before = (self.vote(), self.is_wavering());
        let success = seen.outcome.is_success();
        if success == (self.status == Status::Healthy) {
            self.against = 0;
        } else {
            self.against += 1;
            if self.against >= threshold.answers() {
                self.status = match self.status {
                    Status::Healthy => Status::Unhealthy,
                    Status::Unhealthy => Status::Healthy,
                };
                self.against = 0;
            }
        }
        self.last = Some(seen);
        if !success {
            self.last_failure = Some(seen);
        }
        debug_assert!(
            self.against < threshold.answers(),
            "a full streak turns the verdict"
        );
        if before == (self.vote(), self.is_wavering()) {
            Effect::Same
        } else {
            Effect::Changed
        }
    }

    /// Returns the vote; `None` before the first observation.
    pub fn vote(&self) -> Option<Status> {
        self.last.map(|_| self.status)
    }

    /// Returns whether the latest observations speak against the vote.
    pub fn is_wavering(&self) -> bool {
        self.against > 0
    }

    /// Returns the latest observation.
    pub fn last(&self) -> Option<Observation> {
        self.last
    }

    /// Returns the latest observation of a failure.
    pub fn last_failure(&self) -> Option<Observation> {
        self.last_failure
    }
}

impl Default for Prober {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
