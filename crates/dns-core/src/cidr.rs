//! CIDR collections: blocks of addresses and the locations that IP-based routing goes by.
//!
//! Whether a collection may hold a block is decided here; how many it may hold is not.
//! Source: Route 53 developer guide, "IP-based routing".

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::prefix::{Family, Prefixes};
use crate::query::ClientSubnet;

/// The location of record sets that are answered where no other of their group fits.
pub const DEFAULT_LOCATION: &str = "*";

/// Longest prefix of a block: 24 bits of IPv4, 48 of IPv6; resolvers seldom tell more of their
/// clients.
const fn prefix_max(family: Family) -> u8 {
    match family {
        Family::V4 => 24,
        Family::V6 => 48,
    }
}

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block {
    /// Its first address.
    address: IpAddr,
    /// How many bits of the address name the block. At least 1.
    prefix: u8,
}

/// A text is no block that a collection may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBlock {
    /// It has no address, no prefix length, or one that its family does not have.
    #[error("it is no CIDR block such as 192.0.2.0/24")]
    Shape,
    /// The prefix is empty or too long.
    #[error("its prefix must have 1 to {max} bits")]
    Prefix {
        /// The longest prefix of the family.
        max: u8,
    },
    /// Bits past the prefix are set.
    #[error("bits past its prefix are set")]
    Host,
}

impl FromStr for Block {
    type Err = BadBlock;

    fn from_str(text: &str) -> Result<Self, BadBlock> {
        let (address, prefix) = text.split_once('/').ok_or(BadBlock::Shape)?;
        let address: IpAddr = address.parse().map_err(|_| BadBlock::Shape)?;
        let is_number = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u8 = prefix
            .parse()
            .ok()
            .filter(|_| is_number)
            .ok_or(BadBlock::Shape)?;
        // An IPv4 address in IPv6's clothes would be found under IPv4 but counted in 128 bits.
        if address.to_canonical() != address {
            return Err(BadBlock::Shape);
        }
        let family = Family::of(address);
        if family.bits() < prefix {
            return Err(BadBlock::Shape);
        }
        let max = prefix_max(family);
        if !(1..=max).contains(&prefix) {
            return Err(BadBlock::Prefix { max });
        }
        if ClientSubnet::new(address, prefix).address != address {
            return Err(BadBlock::Host);
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A CIDR collection, laid out for lookup.
#[derive(Debug, PartialEq, Eq)]
pub struct Collection {
    id: String,
    blocks: Vec<(Block, String)>,
    prefixes: Prefixes,
}

impl Collection {
    /// Lays out blocks with their locations; of two that are the same the first counts.
    pub fn new(id: String, blocks: Vec<(Block, String)>) -> Self {
        let prefixes = blocks
            .iter()
            .map(|(block, _)| (block.address, block.prefix));
        Self {
            prefixes: Prefixes::new(prefixes),
            id,
            blocks,
        }
    }

    /// Returns the collection's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns whether a location has a block.
    pub fn has_location(&self, location: &str) -> bool {
        self.blocks.iter().any(|(_, of)| of == location)
    }

    /// Finds the blocks that hold a whole network of clients.
    ///
    /// Shape: the bits of the address within which the result is the same, and the blocks with
    /// their locations, the smallest first. At most one block for each length of prefix.
    pub(crate) fn find(
        &self,
        client: ClientSubnet,
    ) -> (u8, impl Iterator<Item = (Block, &str)> + Clone) {
        let held = self.prefixes.find(client.address);
        let around = std::iter::successors(held.at, |at| self.prefixes.outer(*at));
        let blocks = around.filter_map(|at| self.blocks.get(at));
        // A block smaller than the network may not hold all of it.
        let whole = move |(block, _): &&(Block, String)| block.prefix <= client.source;
        let found = blocks
            .filter(whole)
            .map(|(block, location)| (*block, location.as_str()));
        (held.scope, found)
    }
}

#[cfg(test)]
mod tests;
