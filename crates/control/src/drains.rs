//! Regions that are drained: they get no more clients until that is taken back.
//!
//! It moves no client. A drain is an item that all regions share, so that it outlives the region's
//! process; the region itself tells the others by gossip that it drains, for as long as there is
//! one.

use base::region::RegionName;
use dns_core::limits::GATEWAY_TTL;
use serde::{Deserialize, Serialize};
use store::port::Store;

use crate::control::{Control, ControlError};
use crate::dns::{Data, RecordSet};
use crate::resource::{Change, Resource};
use crate::system::SystemTable;

/// A region that is drained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// The region.
    pub drained: String,
    /// Since when.
    ///
    /// Units: microseconds since 1970.
    pub since: i64,
}

impl Resource for Drain {
    const TABLE: SystemTable = SystemTable::Tags;

    fn partition(&self) -> String {
        PARTITION.to_owned()
    }

    fn sort(&self) -> String {
        self.drained.clone()
    }
}

const PARTITION: &str = "hither drains";

impl<S: Store> Control<S> {
    /// Returns the drain of a region, where it is drained.
    pub fn drain_of(&self, region: &RegionName) -> Option<Drain> {
        self.get(PARTITION, region.as_str())
    }

    /// Drains a region, if it is not drained already. Returns the drain that it has then.
    ///
    /// Errors: those of the change.
    pub async fn drain(&self, region: &RegionName) -> Result<Drain, ControlError> {
        if let Some(drain) = self.drain_of(region) {
            return Ok(drain);
        }
        let drain = Drain {
            drained: region.as_str().to_owned(),
            since: self.clock().wall().as_micros(),
        };
        match self.change(vec![Change::create(&drain)]).await {
            Ok(_) => Ok(drain),
            // Somebody else was faster.
            Err(ControlError::Unexpected(_)) => {
                self.refresh().await?;
                Ok(self.drain_of(region).unwrap_or(drain))
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a drain back. Returns whether there was one.
    ///
    /// Errors: those of the change.
    pub async fn undrain(&self, region: &RegionName) -> Result<bool, ControlError> {
        let Some(drain) = self.drain_of(region) else {
            return Ok(false);
        };
        let gone = Change {
            expect: crate::resource::Expect::Anything,
            ..Change::remove(&drain)
        };
        self.change(vec![gone]).await.map(|_| true)
    }

    /// Returns how long a resolver may keep an answer that names a region: the longest time to live
    /// of the addresses and names that the project's zones answer with.
    ///
    /// Units: seconds.
    pub fn answers_are_kept(&self) -> u32 {
        let sets = self.all::<RecordSet>().into_iter();
        let ttls = sets.filter_map(|set| match (set.record_type.as_str(), set.data) {
            ("A" | "AAAA" | "CNAME" | "HTTPS" | "SVCB", Data::Records { ttl, .. }) => Some(ttl),
            _ => None,
        });
        ttls.chain([GATEWAY_TTL.as_secs()]).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
