//! What we hold a region for: up, suspect or down, and why.
//!
//! It hears nobody itself; the evidence comes in. It knows no check.
//!
//! ```text
//!              we do not hear it                   a majority of the electorate misses it
//!        Up ◄──────────────────────► Suspect ──────────────────────────► Down
//!        ▲ └───────────────── majority misses it, or it says so ──────► │ ▲ │
//!        └──────────── heard for the whole hold-down ───────────────────┘ └─┘
//! ```
//!
//! The electorate are the regions held for up or suspect, the judged one among them. A region is
//! down only when more than half of the electorate say that they miss it: of three, both others.
//! Counting against the whole electorate, not against those who can be heard, keeps the smaller
//! side of a partition from ever condemning anybody. Where two are left nobody can second, and
//! our own failed questions to the region's endpoint are the second voice.
//! A suspect still serves: suspicion is shown, and takes nothing away.

use std::fmt;
use std::time::Duration;

use base::region::RegionId;
use clock::time::{Moment, WallTime};

use crate::limits::{FLAP_FORGIVEN_AFTER, FLAPS_MAX, HEARTBEAT, RETURN_HEARTBEATS};

/// What a region is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegionState {
    /// It serves.
    Up,
    /// It may not serve: it is still given out, and watched.
    Suspect,
    /// It does not serve.
    Down,
}

/// Why a region is held for what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// It is this region, and nobody says otherwise.
    Ourselves,
    /// We hear it.
    Heard,
    /// Nobody has heard it since we started.
    NotYetHeard,
    /// We do not hear it, and no majority says the same.
    Silent,
    /// We do not hear it; these do.
    HeardBy(Vec<RegionId>),
    /// We do not hear it, and its endpoint answers us.
    EndpointAnswers,
    /// These miss it, a majority.
    MissedBy(Vec<RegionId>),
    /// We miss it and its endpoint does not answer; nobody else is left to ask.
    EndpointDead,
    /// It is heard again, and must stay so for a while.
    Returning,
    /// It says that it wants no more traffic.
    Draining,
    /// It said that it ends.
    Leaving,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ourselves => f.write_str("it is this region"),
            Self::Heard => f.write_str("its heartbeats arrive"),
            Self::NotYetHeard => f.write_str("it has not been heard yet"),
            Self::Silent => f.write_str("its heartbeats do not arrive here"),
            Self::HeardBy(regions) => {
                f.write_str("its heartbeats do not arrive here, but in ")?;
                write_regions(f, regions)
            }
            Self::EndpointAnswers => {
                f.write_str("its heartbeats do not arrive here, but its endpoint answers")
            }
            Self::MissedBy(regions) => {
                f.write_str("a majority misses it: ")?;
                write_regions(f, regions)
            }
            Self::EndpointDead => {
                f.write_str("its heartbeats do not arrive here, and its endpoint does not answer")
            }
            Self::Returning => f.write_str("it is back, and must stay heard for a while"),
            Self::Draining => f.write_str("it is draining"),
            Self::Leaving => f.write_str("it has left"),
        }
    }
}

fn write_regions(f: &mut fmt::Formatter<'_>, regions: &[RegionId]) -> fmt::Result {
    for (at, region) in regions.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}{region}")?;
    }
    Ok(())
}

/// How well we hear a region ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hearing {
    /// Its heartbeats arrive.
    Heard,
    /// One is late.
    Doubted,
    /// It has been silent long enough to suspect.
    Suspected,
    /// It has been silent long enough to say so, or its endpoint is gone.
    Missed,
}

/// What we know of a region's endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Endpoint {
    /// Nothing, or nothing since it was last heard.
    #[default]
    Unknown,
    /// It answered while the region was silent.
    Answers,
    /// It did not.
    Dead,
}

/// Everything that a judgement of one region rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// How well we hear it. A region hears itself.
    pub hearing: Hearing,
    /// Whether it was ever heard since we started.
    pub ever_heard: bool,
    /// Heartbeats heard in a row.
    pub in_a_row: u32,
    /// The electors that say they miss it, we among them.
    pub missed_by: Vec<RegionId>,
    /// The other electors that say they hear it.
    pub heard_by: Vec<RegionId>,
    /// How many electors there are, the judged region among them.
    pub electorate: usize,
    /// What its endpoint said.
    pub endpoint: Endpoint,
    /// Whether it said that it leaves.
    pub departure: Option<Departure>,
    /// Whether the region is this one.
    pub ourselves: bool,
}

/// How a region takes itself out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It drains.
    Draining,
    /// It ends.
    Leaving,
}

impl Evidence {
    /// Returns why the region is down, if the evidence says so.
    pub fn condemns(&self) -> Option<Because> {
        let majority = self.electorate / 2 + 1;
        if self.missed_by.len() >= majority {
            return Some(Because::MissedBy(self.missed_by.clone()));
        }
        let alone = self.electorate <= 2 && !self.ourselves;
        (alone && self.hearing == Hearing::Missed && self.endpoint == Endpoint::Dead)
            .then_some(Because::EndpointDead)
    }

    /// Returns the state of a region that is not condemned.
    fn acquitted(&self) -> (RegionState, Because) {
        if self.ourselves {
            return (RegionState::Up, Because::Ourselves);
        }
        if self.hearing <= Hearing::Doubted && self.ever_heard {
            return (RegionState::Up, Because::Heard);
        }
        let because = if !self.heard_by.is_empty() {
            Because::HeardBy(self.heard_by.clone())
        } else if !self.ever_heard {
            Because::NotYetHeard
        } else if self.endpoint == Endpoint::Answers {
            Because::EndpointAnswers
        } else {
            Because::Silent
        };
        (RegionState::Suspect, because)
    }
}

/// The running judgement of one region.
#[derive(Clone, Debug)]
pub struct Track {
    state: RegionState,
    because: Because,
    since: WallTime,
    /// Since when nothing condemns a region that is down.
    calm_since: Option<Moment>,
    /// Losses not yet forgiven; each doubles the hold-down.
    flaps: u8,
    flapped_at: Moment,
}

/// Whether a region waits for its return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldDown {
    /// As the limits say.
    Kept,
    /// Not at all: only a planted mistake asks for this.
    Skipped,
}

impl Track {
    /// Starts to judge a region.
    pub fn new(ourselves: bool, now: Moment, wall: WallTime) -> Self {
        let (state, because) = if ourselves {
            (RegionState::Up, Because::Ourselves)
        } else {
            (RegionState::Suspect, Because::NotYetHeard)
        };
        Self {
            state,
            because,
            since: wall,
            calm_since: None,
            flaps: 0,
            flapped_at: now,
        }
    }

    /// Judges anew. Returns whether the state or the kind of reason changed.
    pub fn judge(
        &mut self,
        now: Moment,
        wall: WallTime,
        evidence: &Evidence,
        hold_down: HoldDown,
    ) -> bool {
        if evidence.departure.is_some() {
            return self.depart(wall, evidence);
        }
        let (state, because) = match (self.state, evidence.condemns()) {
            (RegionState::Up | RegionState::Suspect, Some(because)) => {
                self.flaps = (self.flaps + 1).min(FLAPS_MAX);
                self.flapped_at = now;
                self.calm_since = None;
                (RegionState::Down, because)
            }
            (RegionState::Down, Some(because)) => {
                self.calm_since = None;
                (RegionState::Down, because)
            }
            (RegionState::Down, None) if !self.may_return(now, evidence, hold_down) => {
                let because = match self.calm_since {
                    Some(_) => Because::Returning,
                    None => self.because.clone(),
                };
                (RegionState::Down, because)
            }
            (RegionState::Up | RegionState::Suspect | RegionState::Down, None) => {
                self.calm_since = None;
                evidence.acquitted()
            }
        };
        if state == RegionState::Up {
            self.forgive(now);
        }
        debug_assert!(
            state == RegionState::Down || evidence.condemns().is_none(),
            "a condemned region does not serve"
        );
        self.set(wall, state, because)
    }

    /// Takes only a region's own word that it leaves: all that counts without a quorum.
    /// Returns whether the state or the kind of reason changed.
    pub fn depart(&mut self, wall: WallTime, evidence: &Evidence) -> bool {
        let because = match evidence.departure {
            None => return false,
            Some(Departure::Draining) => Because::Draining,
            Some(Departure::Leaving) => Because::Leaving,
        };
        self.calm_since = None;
        self.set(wall, RegionState::Down, because)
    }

    fn may_return(&mut self, now: Moment, evidence: &Evidence, hold_down: HoldDown) -> bool {
        let heard = evidence.hearing == Hearing::Heard;
        if !heard && evidence.heard_by.is_empty() {
            self.calm_since = None;
            return false;
        }
        let calm_since = *self.calm_since.get_or_insert(now);
        if hold_down == HoldDown::Skipped {
            return true;
        }
        let beats = self.return_heartbeats();
        let long_enough = now.since(calm_since) >= HEARTBEAT * beats;
        // Where we do not hear it ourselves, time alone must do.
        long_enough && (!heard || evidence.in_a_row >= beats)
    }

    fn forgive(&mut self, now: Moment) {
        if self.flaps > 0 && now.since(self.flapped_at) >= FLAP_FORGIVEN_AFTER {
            self.flaps -= 1;
            self.flapped_at = now;
        }
    }

    fn set(&mut self, wall: WallTime, state: RegionState, because: Because) -> bool {
        let turned = self.state != state;
        let changed =
            turned || std::mem::discriminant(&self.because) != std::mem::discriminant(&because);
        if turned {
            self.since = wall;
        }
        self.state = state;
        self.because = because;
        changed
    }

    /// Returns how many heartbeats in a row bring the region back.
    pub fn return_heartbeats(&self) -> u32 {
        RETURN_HEARTBEATS << u32::from(self.flaps.saturating_sub(1))
    }

    /// Returns the longest time that a return can take.
    pub fn hold_down_max() -> Duration {
        HEARTBEAT * (RETURN_HEARTBEATS << u32::from(FLAPS_MAX - 1))
    }

    /// Returns the state.
    pub fn state(&self) -> RegionState {
        self.state
    }

    /// Returns the reason.
    pub fn because(&self) -> &Because {
        &self.because
    }

    /// Returns since when the state holds.
    pub fn since(&self) -> WallTime {
        self.since
    }
}

#[cfg(test)]
mod tests;
