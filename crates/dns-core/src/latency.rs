//! Round-trip times from networks of clients to regions, found by longest prefix.
//!
//! It measures nothing: entries come from configuration and from what gateways saw.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use base::region::RegionId;

use crate::prefix::{Family, Prefixes};

/// A round-trip time.
///
/// Units: microseconds, at most a little over an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rtt(u32);

impl Rtt {
    /// Farther than everything that was measured.
    pub const UNKNOWN: Self = Self(u32::MAX);

    /// Makes a round-trip time; one of more than an hour counts as an hour.
    pub fn from_duration(duration: Duration) -> Self {
        Self(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX - 1))
    }

    /// Returns the time; that of [`Rtt::UNKNOWN`] is meaningless.
    pub const fn as_duration(self) -> Duration {
        Duration::from_micros(self.0 as u64)
    }
}

impl fmt::Display for Rtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNKNOWN {
            f.write_str("unknown")
        } else {
            write!(f, "{:.1} ms", f64::from(self.0) / 1e3)
        }
    }
}

/// A network of clients and how far the regions are from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// An address in the network; its bits past `prefix` do not matter.
    pub address: IpAddr,
    /// How many bits of the address name the network.
    pub prefix: u8,
    /// How far each region is.
    pub rtts: Vec<(RegionId, Rtt)>,
}

impl Network {
    /// Returns the longest prefix that an address of its family has.
    pub fn prefix_max(&self) -> u8 {
        Family::of(self.address).bits()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// All networks, laid out for lookup.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    networks: Vec<Network>,
    prefixes: Prefixes,
}

/// What is known of a client's place.
#[derive(Clone, Copy, Debug)]
pub struct Located<'l> {
    /// The network with the longest prefix that holds the client.
    pub network: Option<&'l Network>,
    /// Bits of the client's address that decided: clients that share them get the same answer.
    pub scope: u8,
}

impl Latency {
    /// Lays out networks; of two with the same prefix the first counts.
    pub fn new(networks: Vec<Network>) -> Self {
        let prefixes = networks
            .iter()
            .map(|network| (network.address, network.prefix));
        Self {
            prefixes: Prefixes::new(prefixes),
            networks,
        }
    }

    /// Returns the networks, as they came.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// Finds the network of a client.
    pub fn locate(&self, client: IpAddr) -> Located<'_> {
        let held = self.prefixes.find(client);
        Located {
            network: held.at.and_then(|at| self.networks.get(at)),
            scope: held.scope,
        }
    }
}

#[cfg(test)]
mod tests;
