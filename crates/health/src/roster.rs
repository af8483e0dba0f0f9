//! Who the regions are and where they are reached.
//!
//! It resolves only Hither's own names; all others are the operating system's business.

use std::net::{IpAddr, SocketAddr};

use base::region::{RegionId, RegionName};
use health_core::health::PeerSpec;

/// The regions of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    members: Vec<Member>,
}

/// One region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The region's name.
    pub region: RegionName,
    /// Where it listens for gossip.
    pub gossip: SocketAddr,
    /// Where its API listens, in plain HTTP: what is asked when it falls silent.
    pub endpoint: Option<SocketAddr>,
    /// The address that its names under `hither.internal` stand for.
    pub address: IpAddr,
}

/// The domain of the names that Hither gives out itself.
const INTERNAL: &str = ".hither.internal";

impl Roster {
    /// Makes a roster of all regions, this one included.
    pub fn new(members: Vec<Member>) -> Self {
        Self { members }
    }

    /// Returns the other regions as the core of `ourselves` needs them.
    pub fn peers(&self, ourselves: RegionId) -> Vec<PeerSpec> {
        self.members
            .iter()
            .filter(|member| member.region.id() != ourselves)
            .map(|member| PeerSpec {
                region: member.region.id(),
                has_endpoint: member.endpoint.is_some(),
            })
            .collect()
    }

    /// Returns a region.
    pub fn member(&self, region: RegionId) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.region.id() == region)
    }

    /// Returns what a name stands for, if it is one of Hither's own.
    pub(crate) fn resolve(&self, name: &str) -> Meaning {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let Some(inside) = name.strip_suffix(INTERNAL) else {
            return Meaning::Foreign;
        };
        let region = inside.rsplit('.').next().unwrap_or(inside);
        self.members
            .iter()
            .find(|member| member.region.as_str() == region)
            .map_or(Meaning::Nothing, |member| Meaning::Region(member.address))
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A region's address.
    Region(IpAddr),
    /// Nothing: it lies under `hither.internal`, and its region is not known.
    Nothing,
    /// It is not Hither's to say.
    Foreign,
}

#[cfg(test)]
mod tests;
