//! What the links tell of themselves: to `control`, to operators, to tests.
//!
//! It decides nothing. A status is a snapshot, replaced whole.

use std::collections::BTreeMap;
use std::time::Duration;

use base::name::TableId;
use base::region::{RegionId, RegionName};
use clock::hlc::Hlc;
use clock::time::WallTime;
use replica_core::link::latency::Summary;
use replica_core::link::receive::ApplyFault;
use replica_core::vector::{Seq, VersionVector};

/// All links of a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkStatus {
    /// Each peer.
    pub peers: BTreeMap<RegionName, PeerStatus>,
    /// The stamp up to which every region has durably applied every origin.
    pub frontier: Hlc,
    /// Regions whose records are asked of others, since they are out of reach.
    pub unreachable: Vec<RegionId>,
    /// Tables that are being filled here: how far the slowest source is, in per cent.
    pub filling: BTreeMap<TableId, u8>,
    /// How far our stamps are ahead of our wall clock, or of the peers' in the middle, where that
    /// is more than regions tolerate of each other: peers may let our records rest so long.
    pub stamps_ahead: Option<Duration>,
    /// Why this region must not serve on. Its writes are stopped.
    pub failure: Option<Failure>,
}

/// Why a region must not serve on: only its operator can help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Peers hold writes of this region that it lacks.
    #[error(
        "this region's data directory is an older copy of itself: region {peer} holds records of \
         it up to {had} that its log, at {has}, lacks; keep the directory aside, and start with \
         an empty one, which is filled from the other regions"
    )]
    Rewound {
        /// The peer that told.
        peer: RegionName,
        /// Where our log ends.
        has: Seq,
        /// How far the peer has seen it.
        had: Seq,
    },
    /// Peers know another data directory of this region.
    #[error(
        "region {peer} knows another data directory of this region; start with that one, or with \
         an empty one, which is filled from the other regions"
    )]
    OtherDirectory {
        /// The peer that told.
        peer: RegionName,
    },
    /// What this region lacks is gone from a peer's log, and deletes with it.
    #[error(
        "this region's data directory is too old: what it lacks of region {peer} is kept from \
         position {first} on; keep the directory aside, and start with an empty one, which is \
         filled from the other regions"
    )]
    TooOld {
        /// The peer.
        peer: RegionName,
        /// The first position that it has.
        first: Seq,
    },
}

/// The two links of one pair of regions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerStatus {
    /// Our log, on its way to the peer.
    pub sending: Sending,
    /// The peer's log, on its way to us.
    pub receiving: Receiving,
}

/// The link that carries our log to a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sending {
    /// The connection.
    pub line: Line,
    /// The round trip, smoothed.
    pub rtt: Option<Duration>,
    /// How far the peer's wall clock is ahead of ours.
    ///
    /// Units: microseconds; negative where it is behind.
    pub clock_ahead: Option<i64>,
    /// What the peer has applied, as far as it has said.
    pub applied: VersionVector,
    /// What the peer has on disk, as far as it has said.
    pub durable: VersionVector,
    /// Records of our log that the peer has not applied.
    pub backlog: u64,
    /// Of the tables that the peer copies from here: how far they have been read for it.
    ///
    /// Units: per cent.
    pub copying: BTreeMap<TableId, u8>,
    /// The peer needs records that are gone here, from before this one, and copies all tables
    /// instead.
    pub needs_resync: Option<Seq>,
}

/// The link that carries a peer's log to us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiving {
    /// The connection.
    pub line: Line,
    /// Of each origin whose records came this way in the last minute: from commit there to
    /// visible here, by our clock.
    pub latencies: BTreeMap<RegionId, Summary>,
    /// Origins whose records rest, and why.
    pub parked: BTreeMap<RegionId, ApplyFault>,
    /// We need records that are gone at the peer, from before this one, and copy all tables
    /// instead; how far that is is in `filling`.
    pub needs_resync: Option<Seq>,
    /// Tables that come from this peer, in per cent.
    pub filling: BTreeMap<TableId, u8>,
}

/// One connection, or the lack of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Since when it is up; `None` while it is down.
    pub since: Option<WallTime>,
    /// Why it last ended, or was not made.
    pub problem: Option<String>,
    /// Bytes read, over all connections.
    pub bytes_in: u64,
    /// Bytes written, over all connections.
    pub bytes_out: u64,
}

impl Line {
    /// Returns whether the connection is up.
    pub const fn is_up(&self) -> bool {
        self.since.is_some()
    }

    pub(crate) fn up(&mut self, now: WallTime) {
        self.since = Some(now);
        self.problem = None;
    }

    /// Returns whether that is news.
    pub(crate) fn down(&mut self, problem: String) -> bool {
        let was_up = self.since.take().is_some();
        let problem = Some(problem);
        let is_news = was_up || self.problem != problem;
        self.problem = problem;
        is_news
    }

    pub(crate) const fn count(&mut self, (read, written): (u64, u64)) {
        self.bytes_in += read;
        self.bytes_out += written;
    }
}

impl PeerStatus {
    /// Returns whether the peer's clock is too far ahead for its records to be followed.
    pub fn is_clock_ahead(&self) -> bool {
        let mut parked = self.receiving.parked.values();
        parked.any(|why| matches!(why, ApplyFault::TooFarAhead(_)))
    }
}

impl LinkStatus {
    /// Returns whether every peer is known to have applied our log up to `seq`.
    pub fn have_applied(&self, own: RegionId, seq: Seq) -> bool {
        self.peers
            .values()
            .all(|peer| seq <= peer.sending.applied.at(own))
    }
}
