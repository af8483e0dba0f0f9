//! Names and numbers of regions.
//!
//! The number of a region follows from its name alone, so no region has to hand out numbers.
//! It orders writes with equal stamps, and stands for the name in every stored version.

use std::fmt;
use std::sync::Arc;

/// The name of a region, as AWS spells them (`eu-west-1`) or as the user does (`lab-2`).
///
/// Shape: 2..=32 characters of `a-z`, `0-9` and `-`, starting with a letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionName(Arc<str>);

/// A text that is no region name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("region name {0:?} must be 2 to 32 characters of a-z, 0-9 and -, starting with a letter")]
pub struct BadRegionName(pub String);

impl RegionName {
    /// Reads a region name.
    ///
    /// Errors: [`BadRegionName`] for any other shape.
    pub fn parse(text: &str) -> Result<Self, BadRegionName> {
        let shaped = (2..=32).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if shaped {
            Ok(Self(text.into()))
        } else {
            Err(BadRegionName(text.to_owned()))
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the region's number: fixed for the names AWS uses, a hash for all others.
    pub fn id(&self) -> RegionId {
        match AWS_REGIONS.iter().position(|name| *name == &*self.0) {
            Some(at) => RegionId(u16::try_from(at).unwrap_or(u16::MAX) + 1),
            // FNV-1a, folded to 15 bits; two own names that collide are refused when configured.
            None => {
                let hash = self.0.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
                    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
                });
                RegionId(0x8000 | u16::try_from((hash ^ (hash >> 15)) & 0x7fff).unwrap_or(0))
            }
        }
    }

    /// Returns whether AWS has a region of this name.
    pub fn is_aws(&self) -> bool {
        AWS_REGIONS.contains(&&*self.0)
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a region in versions, logs and vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionId(pub u16);

impl fmt::Display for RegionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

/// AWS's region names. The position of a name is its number on disk: append, never reorder.
/// Source: the `ResourceRecordSetRegion` enumeration of Route 53's service model.
const AWS_REGIONS: [&str; 39] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-central-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "eu-north-1",
    "sa-east-1",
    "cn-north-1",
    "cn-northwest-1",
    "ap-east-1",
    "me-south-1",
    "me-central-1",
    "ap-south-1",
    "ap-south-2",
    "af-south-1",
    "eu-south-1",
    "eu-south-2",
    "ap-southeast-4",
    "il-central-1",
    "ca-west-1",
    "ap-southeast-5",
    "mx-central-1",
    "ap-southeast-7",
    "us-gov-east-1",
    "us-gov-west-1",
    "ap-east-2",
    "ap-southeast-6",
    "eusc-de-east-1",
];

#[cfg(test)]
mod tests;
