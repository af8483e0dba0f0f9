//! The gossip datagram: one part of a full snapshot, as bytes and back.
//!
//! It keeps no state and trusts nobody: decoding is bounded, total and checks the seal first.
//!
//! Layout of version 1, big-endian, at most [`DATAGRAM_BYTES_MAX`] bytes:
//!
//! ```text
//!   0  magic "hg"          2    22  sequence            8    49  votes v             1
//!   2  version             1    30  sent, monotonic µs  8    50  r × row            21
//!   3  standing            1    38  sent, wall µs       8     .  v × vote           14
//!   4  project tag         8    46  part                1     .  seal               32
//!  12  sender              2    47  parts               1
//!  14  incarnation         8    48  rows r              1
//!
//!  row:   region 2 · hearing 1 · silence ms 2 · incarnation 8 · echo µs 8
//!  vote:  check key 8 · flags 1 · outcome 1 · status 2 · age in tenths of a second 2
//! ```
//!
//! A version that is not known is refused as such, so that neighbours of different releases can
//! say why they do not hear each other.

use base::limits::REGIONS_MAX;
use base::region::RegionId;
use clock::time::WallTime;

use crate::check::CheckKey;
use crate::judge::RegionState;
use crate::observation::Outcome;
use crate::prober::Status;
use crate::replay::{Incarnation, NotAdmitted};
use crate::seal::{SEAL_BYTES, Seal};

mod read;
mod write;

/// Largest datagram. 1,200 bytes: it crosses every path of the public internet in one piece.
/// Source: RFC 9000 §14.1.
pub const DATAGRAM_BYTES_MAX: usize = 1_200;

/// Version of the layout that is written and understood.
pub const VERSION: u8 = 1;

const MAGIC: [u8; 2] = *b"hg";
const HEADER_BYTES: usize = 50;
const ROW_BYTES: usize = 21;
const VOTE_BYTES: usize = 14;

/// One part of a region's snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gossip {
    /// Who says this.
    pub sender: RegionId,
    /// Which life of the sender.
    pub incarnation: Incarnation,
    /// The datagram's number in that life.
    pub sequence: u64,
    /// The sender's monotonic clock as it left. Units: microseconds.
    pub sent_micros: u64,
    /// The sender's wall clock as it left.
    pub wall: WallTime,
    /// Whether the sender serves.
    pub standing: Standing,
    /// Which part of the snapshot this is, from 0.
    pub part: u8,
    /// How many parts the snapshot has.
    pub parts: u8,
    /// What the sender hears of the other regions; in part 0 only.
    pub rows: Vec<Row>,
    /// The sender's own votes.
    pub votes: Vec<VoteRow>,
}

/// Whether a region takes part, by its own word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It serves.
    #[default]
    Serving,
    /// It serves what it has begun and wants nothing more.
    Draining,
    /// Its process ends.
    Leaving,
}

/// What the sender hears of one other region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The region spoken of.
    pub region: RegionId,
    /// Whether the sender misses its heartbeats.
    pub missed: bool,
    /// What the sender holds it for.
    pub state: RegionState,
    /// How long ago the sender heard it. Units: milliseconds; the largest value means "or more".
    pub silence_ms: u16,
    /// The latest life of it that the sender knows; zero for none.
    pub incarnation: Incarnation,
    /// When that region sent what the sender heard last, by that region's own monotonic clock,
    /// plus the time that the sender has held it: that region's clock, less one round trip.
    /// Units: microseconds.
    pub echo_micros: u64,
}

/// The sender's vote on one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoteRow {
    /// The check.
    pub check: CheckKey,
    /// What the sender saw of it; `None` when it has not looked yet.
    pub seen: Option<SeenRow>,
}

/// What a region saw of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenRow {
    /// The verdict of its own probes.
    pub status: Status,
    /// Whether its latest probes speak against that.
    pub wavering: bool,
    /// Its latest probe.
    pub outcome: Outcome,
    /// How long ago that was. Units: tenths of a second; the largest value means "or more".
    pub age_tenths: u16,
}

/// Why a datagram is refused. The fault is the peer's, the network's or an intruder's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GossipError {
    /// It is longer or shorter than any datagram of ours.
    #[error("gossip datagram of {0} bytes is too short or too long")]
    Length(usize),
    /// It is something else altogether.
    #[error("datagram is no gossip")]
    Foreign,
    /// It comes from another release.
    #[error("gossip version {0} is not understood, only {VERSION}")]
    UnknownVersion(u8),
    /// It belongs to another project.
    #[error("gossip of another project")]
    OtherProject,
    /// Its seal is wrong: another key, or changed on the way.
    #[error("gossip datagram carries a wrong seal")]
    Seal,
    /// The seal is right and the inside is not: a mistake in the sender.
    #[error("gossip datagram has a wrong {0}")]
    Malformed(&'static str),
    /// Its sender is not one of the regions.
    #[error("gossip of region {0}, which is not one of the project's")]
    Stranger(RegionId),
    /// It is our own, come back.
    #[error("gossip of our own came back")]
    Ourselves,
    /// It was seen before, or belongs to a life that has ended.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
}

impl Gossip {
    /// Returns how many votes fit beside `rows` rows.
    pub fn votes_fit(rows: usize) -> usize {
        debug_assert!(rows <= REGIONS_MAX, "rows are bounded by the regions");
        let room = DATAGRAM_BYTES_MAX - HEADER_BYTES - SEAL_BYTES;
        (room.saturating_sub(rows * ROW_BYTES) / VOTE_BYTES).min(usize::from(u8::MAX))
    }

    /// Returns the datagram, sealed.
    pub fn encode(&self, seal: &Seal) -> Vec<u8> {
        write::encode(self, seal)
    }

    /// Reads a datagram.
    ///
    /// Errors: [`GossipError`]; nothing of the inside is believed before the seal is right.
    pub fn decode(datagram: &[u8], seal: &Seal) -> Result<Self, GossipError> {
        read::decode(datagram, seal)
    }
}

#[cfg(test)]
mod tests;
