//! What a region holds all regions and checks for: the health plane's one result.
//!
//! It is soft state: never stored, never replicated, different in each region for a moment.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base::region::RegionId;
use clock::time::WallTime;

use crate::check::CheckId;
use crate::judge::{Because, RegionState};
use crate::observation::Observation;
use crate::prober::Status;
use crate::sample::PeerDelay;
use crate::vote::Tally;

/// What one region holds all regions and checks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthView {
    /// Rises with each decision. Views of one generation differ only in delays and ages.
    pub generation: u64,
    /// When this was put together.
    pub at: WallTime,
    /// Whose view this is.
    pub region: RegionId,
    /// Every region of the project, this one included.
    pub regions: BTreeMap<RegionId, RegionVerdict>,
    /// Every check.
    pub checks: BTreeMap<CheckId, CheckVerdict>,
    /// Whether the region hears enough others to decide.
    pub quorum: Quorum,
}

impl HealthView {
    /// Returns whether `region` may be given out: it is up or merely suspect.
    ///
    /// Shape: true for a region that is not known.
    pub fn serves(&self, region: RegionId) -> bool {
        self.regions
            .get(&region)
            .is_none_or(|verdict| verdict.state != RegionState::Down)
    }

    /// Returns whether `check` is healthy.
    ///
    /// Shape: true for a check that is not known, as for one that has no data.
    pub fn healthy(&self, check: &CheckId) -> bool {
        self.checks
            .get(check)
            .is_none_or(|verdict| verdict.status == Status::Healthy)
    }
}

/// What a region is held for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionVerdict {
    /// Up, suspect or down.
    pub state: RegionState,
    /// Since when.
    pub since: WallTime,
    /// Why.
    pub because: Because,
    /// How long it has not been heard; `None` for this region, and for one never heard.
    pub silence: Option<Duration>,
    /// Delay and clock offset; `None` before the first echo.
    pub delay: Option<PeerDelay>,
    /// What the other regions hold it for, by their own word.
    pub elsewhere: BTreeMap<RegionId, RegionState>,
}

/// What a check is held for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckVerdict {
    /// Healthy or not, inversion included.
    pub status: Status,
    /// Since when.
    pub since: WallTime,
    /// Why.
    pub because: CheckBecause,
    /// Whether some voting region's latest probes speak against its vote.
    pub wavering: bool,
    /// Every region's latest word, also of those that do not count.
    pub votes: BTreeMap<RegionId, RegionVote>,
}

/// Why a check is held for what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckBecause {
    /// No region has reported.
    NoData,
    /// Probing is switched off.
    Disabled,
    /// The regions voted.
    Voted(Tally),
    /// The children were counted.
    Counted {
        /// Children that are healthy.
        healthy: usize,
        /// All children.
        of: usize,
        /// How many must be.
        threshold: u16,
    },
}

impl fmt::Display for CheckBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoData => f.write_str("no region has reported"),
            Self::Disabled => f.write_str("it is disabled"),
            Self::Voted(Tally { healthy, reporting }) => {
                write!(f, "{healthy} of {reporting} reporting regions say healthy")
            }
            Self::Counted {
                healthy,
                of,
                threshold,
            } => write!(
                f,
                "{healthy} of {of} children are healthy, {threshold} must be"
            ),
        }
    }
}

/// One region's word on a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionVote {
    /// Its verdict.
    pub status: Status,
    /// Whether its latest probes speak against that.
    pub wavering: bool,
    /// Whether the vote counts: the region is not down and was heard lately.
    pub counts: bool,
    /// What its latest probe saw.
    pub last: Observation,
    /// The latest failure of it that came to our ears.
    pub last_failure: Option<Observation>,
}

/// Whether a region hears enough others to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Whether it does. If not, all verdicts are the last ones it had.
    pub held: bool,
    /// Electors heard, this region included.
    pub heard: usize,
    /// Electors.
    pub of: usize,
    /// Since when it is held, or is not.
    pub since: WallTime,
}
