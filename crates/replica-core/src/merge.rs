//! The merge rule: which of two versions of an item stays, and whether they raced.
//!
//! It reads no item: versions and vectors decide. Default resolver `item`: the later version
//! wins, whole item, as DynamoDB global tables do.
//! Source: DynamoDB developer guide, "How global tables work" (last writer wins).

use base::region::RegionId;
use clock::hlc::Version;

use crate::vector::{Seq, VersionVector};

/// A version as it is stored beside an item: with the position of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The version.
    pub version: Version,
    /// The record's position in the log of `version.origin`; 0 for writes that were not logged.
    pub seq: Seq,
}

/// What to do with an incoming change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Store the incoming change; the stored version was seen by it, or there was none.
    Replace,
    /// Keep what is stored; it had seen the incoming change, or is the same write.
    Keep,
    /// Store the incoming change; it won a race, and the stored version lost it.
    ReplaceConcurrent,
    /// Keep what is stored; it won a race, and the incoming change lost it.
    KeepConcurrent,
}

impl Decision {
    /// Returns whether the incoming change is to be stored.
    pub const fn replaces(self) -> bool {
        match self {
            Self::Replace | Self::ReplaceConcurrent => true,
            Self::Keep | Self::KeepConcurrent => false,
        }
    }
}

/// Decides between the stored version and an incoming one.
///
/// `incoming_seen` is the incoming write's vector. `stored_saw(origin)` tells how far the stored
/// write had seen `origin`'s log; `None` when its record is gone, which means that everything
/// it had seen has been applied here, so it cannot have seen the incoming change.
pub fn decide(
    stored: Option<Stamp>,
    incoming: Stamp,
    incoming_seen: &VersionVector,
    stored_saw: impl FnOnce(RegionId) -> Option<Seq>,
) -> Decision {
    let Some(stored) = stored else {
        return Decision::Replace;
    };
    if stored.version == incoming.version {
        return Decision::Keep;
    }
    let wins = stored.version < incoming.version;
    let same_origin = stored.version.origin == incoming.version.origin;
    if same_origin || stored.seq <= incoming_seen.at(stored.version.origin) {
        // One origin's log is in order, and a write is stamped after all that it has seen.
        return if wins {
            Decision::Replace
        } else {
            Decision::Keep
        };
    }
    let seen_by_stored = stored_saw(incoming.version.origin).is_some_and(|at| incoming.seq <= at);
    match (wins, seen_by_stored) {
        (true, _) => Decision::ReplaceConcurrent,
        (false, true) => Decision::Keep,
        (false, false) => Decision::KeepConcurrent,
    }
}

#[cfg(test)]
mod tests;
