//! Route 53's rule over the regions' votes on one check.
//!
//! It does not know who may vote; it counts.

use crate::limits::HEALTHY_ABOVE_PERCENT;
use crate::prober::Status;

/// The votes on one check, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Regions that say healthy.
    pub healthy: usize,
    /// Regions that say anything.
    pub reporting: usize,
}

impl Tally {
    /// Counts votes.
    pub fn of(votes: impl Iterator<Item = Status>) -> Self {
        votes.fold(Self::default(), |tally, vote| Self {
            healthy: tally.healthy + usize::from(vote == Status::Healthy),
            reporting: tally.reporting + 1,
        })
    }

    /// Returns the verdict: healthy when more than 18 % of the reporting regions say so.
    ///
    /// Shape: `None` when nobody reports.
    pub fn verdict(self) -> Option<Status> {
        debug_assert!(self.healthy <= self.reporting, "a vote is counted once");
        match self.reporting {
            0 => None,
            reporting if self.healthy * 100 > HEALTHY_ABOVE_PERCENT * reporting => {
                Some(Status::Healthy)
            }
            _ => Some(Status::Unhealthy),
        }
    }
}

#[cfg(test)]
mod tests;
