//! Editions of an item, and the ballots by which voters choose them.
//!
//! It decides nothing.

use base::region::RegionId;
use bytes::Bytes;

use crate::limits::RECENT_MAX;

/// Names an operation, and the write that it makes.
///
/// Shape: random, unique over all regions and restarts; from `clock::port::Entropy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u128);

/// One state of an item. The next one follows from it, so that editions are a chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edition {
    /// How many editions were before it. The first that is written is 1.
    pub number: u64,
    /// The operation that made it.
    pub author: OperationId,
    /// Who made the editions before it, the last one first.
    ///
    /// Shape: at most [`RECENT_MAX`].
    pub recent: Vec<OperationId>,
    /// The item, none where there is none.
    pub value: Option<Bytes>,
}

impl Edition {
    /// Makes the edition that follows `before`, none where nothing was written yet.
    pub fn after(before: Option<&Self>, author: OperationId, value: Option<Bytes>) -> Self {
        let recent = before.map(|before| {
            let authors = std::iter::once(before.author).chain(before.recent.iter().copied());
            authors.take(RECENT_MAX).collect()
        });
        Self {
            number: before.map_or(0, |before| before.number) + 1,
            author,
            recent: recent.unwrap_or_default(),
            value,
        }
    }

    /// Returns who made the edition `number`, none where it is later or too long ago.
    pub fn author_of(&self, number: u64) -> Option<OperationId> {
        match self.number.checked_sub(number)? {
            0 => Some(self.author),
            ago => self.recent.get(usize::try_from(ago).ok()? - 1).copied(),
        }
    }
}

/// What orders the attempts at one edition. No two proposals carry the same.
///
/// The order is that of the rounds; regions break ties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ballot {
    /// Rises with each attempt. 0: before any.
    pub round: u64,
    /// The region that proposes.
    pub region: RegionId,
}

/// A voter's vote for an edition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Vote {
    /// The ballot that it belongs to.
    pub ballot: Ballot,
    /// What it is for.
    pub edition: Edition,
}

/// Tells the directories of one region apart: later ones have higher numbers.
///
/// Shape: the stamp of the hybrid clock at which the directory was begun; 0 for a table's first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub u64);

#[cfg(test)]
mod tests;
