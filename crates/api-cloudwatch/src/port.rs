//! What a region tells of what it measures.
//!
//! It says nothing of how that is kept.

use base::name::TableId;
use base::region::RegionId;

/// A region's figures.
pub trait Figures: Send + Sync {
    /// Returns the tables, and the other regions, of which there is something: writes of the table
    /// that were made here and seen there.
    fn delays(&self) -> Vec<(TableId, RegionId)>;

    /// Returns how late those were, minute by minute, from a minute on and before another.
    fn delays_between(&self, pair: (TableId, RegionId), minutes: (i64, i64)) -> Vec<Minute>;
}

/// What was measured in one minute.
///
/// Units: microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Which minute since 1970.
    pub number: i64,
    /// How many values there were.
    pub count: u64,
    /// All of them together.
    pub sum: u64,
    /// The least.
    pub min: u64,
    /// The worst.
    pub max: u64,
    /// How many were about how large, from the smallest on.
    pub spread: Vec<(u64, u64)>,
}
