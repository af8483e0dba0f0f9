//! The project as this node was configured with it: its regions and where they are.
//!
//! It is configuration, not state: it does not replicate.

use std::net::{IpAddr, SocketAddr};

use base::name::AccountId;
use base::region::{RegionId, RegionName};

/// The project that a node belongs to.
#[derive(Clone, Debug)]
pub struct Project {
    /// The project's name.
    pub name: String,
    /// The account of callers that name none.
    pub account: AccountId,
    /// The region of this node.
    pub region: RegionName,
    /// All regions, this one included, in the order of the file.
    pub regions: Vec<Region>,
    /// The secret that all nodes of the project share: 32 random bytes.
    pub key: ProjectKey,
}

/// A region of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: RegionName,
    /// The addresses that clients reach it by, as DNS answers name them.
    pub addresses: Vec<IpAddr>,
    /// Where its AWS APIs answer.
    pub api: SocketAddr,
    /// Where its gateway answers TLS.
    pub https: SocketAddr,
    /// Where its gateway answers plain HTTP.
    pub http: SocketAddr,
    /// Where its DNS server answers.
    pub dns: SocketAddr,
    /// Where its peers' replication links arrive.
    pub link: SocketAddr,
    /// Where its peers' gossip arrives.
    pub gossip: SocketAddr,
}

/// The secret that all nodes of a project share. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ProjectKey(pub [u8; 32]);

impl std::fmt::Debug for ProjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProjectKey(..)")
    }
}

impl Project {
    /// Returns a region by its name.
    pub fn region_named(&self, name: &str) -> Option<&Region> {
        self.regions
            .iter()
            .find(|region| region.name.as_str() == name)
    }

    /// Returns a region by its number.
    pub fn region_of(&self, id: RegionId) -> Option<&Region> {
        self.regions.iter().find(|region| region.name.id() == id)
    }

    /// Returns the region of this node.
    ///
    /// It panics for a project that was made without its own region.
    pub fn own(&self) -> &Region {
        self.region_named(self.region.as_str())
            .expect("a node's region is one of its project's")
    }
}
