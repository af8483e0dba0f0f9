//! The three voters of a table, one of which may be a witness.
//!
//! It is no membership protocol: they are fixed when the table is made.
//! Source: DynamoDB developer guide, "Multi-Region strong consistency (MRSC)": three replicas, or
//! two replicas and a witness.

use base::region::RegionId;

/// The voters of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Members {
    voters: [RegionId; 3],
    witness: Option<RegionId>,
}

/// Three regions that cannot be a table's voters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMembers {
    /// A region is named twice.
    #[error("a region is named twice")]
    Twice,
    /// The witness is none of the three.
    #[error("the witness is none of the three voters")]
    StrangeWitness,
}

impl Members {
    /// Makes the voters of a table.
    ///
    /// Errors: [`BadMembers`].
    pub fn try_new(
        mut voters: [RegionId; 3],
        witness: Option<RegionId>,
    ) -> Result<Self, BadMembers> {
        voters.sort_unstable();
        if voters[0] == voters[1] || voters[1] == voters[2] {
            return Err(BadMembers::Twice);
        }
        if witness.is_some_and(|witness| !voters.contains(&witness)) {
            return Err(BadMembers::StrangeWitness);
        }
        Ok(Self { voters, witness })
    }

    /// Returns the voters but `here`, in the order of their numbers.
    pub fn others(&self, here: RegionId) -> impl Iterator<Item = RegionId> + use<> {
        self.voters.into_iter().filter(move |voter| *voter != here)
    }

    /// Returns whether `region` votes.
    pub fn votes(&self, region: RegionId) -> bool {
        self.voters.contains(&region)
    }

    /// Returns the region that votes and keeps no values.
    pub const fn witness(&self) -> Option<RegionId> {
        self.witness
    }

    /// Returns how many voters are before `region`: which of two equals rests longer.
    pub(crate) fn rank(&self, region: RegionId) -> u32 {
        self.voters
            .iter()
            .map(|voter| u32::from(*voter < region))
            .sum()
    }
}

/// Voters that are a majority of three: any two majorities have one in common.
pub const MAJORITY: usize = 2;

#[cfg(test)]
mod tests;
