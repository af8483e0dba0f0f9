//! What a race is called: short enough to be typed, the same in every region.
//!
//! It says which entry is meant, not where to find it without a look at its neighbours.

use std::fmt;
use std::str::FromStr;

use clock::hlc::Version;
use replica_core::digest::Digest;

/// The name of a race.
///
/// Shape: the winner's version, then 64 bits of a hash of the loser's version and the item's key;
/// as text, 36 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RaceId([u8; ID_BYTES]);

/// A text that is no race's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a race's id is {} hexadecimal digits", 2 * ID_BYTES)]
pub struct NoRaceId;

const VERSION_BYTES: usize = 10;
const ID_BYTES: usize = VERSION_BYTES + 8;

impl RaceId {
    pub(crate) fn of(winner: Version, loser: Version, suffix: &[u8]) -> Self {
        let mut hash = Digest::default();
        hash.add(suffix, loser, &[]);
        let mut id = [0; ID_BYTES];
        let bytes = (winner.hlc.0.to_be_bytes().into_iter())
            .chain(winner.origin.0.to_be_bytes())
            .chain(hash.0.to_be_bytes());
        id.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
        Self(id)
    }

    /// Returns what the entries of the winner begin with, after the table's number.
    pub(crate) fn winner(&self) -> &[u8] {
        &self.0[..VERSION_BYTES]
    }
}

impl fmt::Display for RaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for RaceId {
    type Err = NoRaceId;

    fn from_str(text: &str) -> Result<Self, NoRaceId> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.len() != 2 * ID_BYTES || !is_hex {
            return Err(NoRaceId);
        }
        let mut id = [0; ID_BYTES];
        for (at, byte) in id.iter_mut().enumerate() {
            let digits = text.get(2 * at..2 * at + 2).ok_or(NoRaceId)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NoRaceId)?;
        }
        Ok(Self(id))
    }
}
