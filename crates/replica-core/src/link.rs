//! A link carries one region's log to another: its decisions, without sockets.
//!
//! It reads no clock and no store; the shell `replica` and the simulation feed it and do what it
//! says.
//!
//! Each region dials every peer and *sends* on the connection that it dialled; the listening
//! side receives, and answers on the same connection. Two regions so have two connections, one
//! for each direction of data. That costs a few more beats than one shared connection, and
//! removes what is hard about it: nobody must decide which of two simultaneous dials survives,
//! no direction waits behind the other's bulk, each role is one small machine, and a path that
//! works in one direction only shows as exactly that.
//!
//! ```text
//!   dialler                                      listener
//!           ◄──── TLS 1.3, certificates of both ►             each proves which region it is
//!   Dialled ──── Hello ────────────────────────► hear         who, which project, which formats
//!           ◄───────────────────────── Welcome ─
//!   Sender  ◄─────────────────────── Ack, Want ─ Receiver     what I have, what I ask for
//!           ──── Data, Beat ───────────────────►
//!           ◄───────────────────────────── Ack ─
//!           ◄───────────────────── CopyRequest ─              backfill, behind the log
//!           ──── CopyPage, CopyPage, … ────────►              a window of pages
//!           ◄─────────────────────── CopyTaken ─
//! ```
//!
//! A [`send::Sender`] and a [`receive::Receiver`] exist once for each peer and outlive their
//! connections. [`mesh::Mesh`] holds what concerns all peers of a region together.

pub mod handshake;

pub mod send;

pub mod receive;

pub mod copies;

pub mod share;

pub mod mesh;

pub mod pulse;

pub mod latency;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::time::{Moment, WallTime};

use crate::frame::copy::CopyItems;
use crate::frame::greeting::Refusal;
use crate::vector::{Seq, VersionVector};

/// The two clocks at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock: every wait is measured with it.
    pub moment: Moment,
    /// The wall clock: only told to peers, and compared with theirs.
    pub wall: WallTime,
}

/// Where this region stands, as its tables tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// What is applied here, the own log's head included.
    pub applied: VersionVector,
    /// What is on disk here, the own log's head included.
    pub durable: VersionVector,
    /// The head of the own log.
    pub head: Seq,
    /// The position after which the own log begins. Where that is not the first, what a lost
    /// directory held is to come from the peers.
    pub begins: Seq,
    /// The promise that later writes here are stamped above.
    pub horizon: Hlc,
    /// The stamp up to which this region has durably applied every origin.
    pub stable: Hlc,
    /// Of each origin, the highest stamp among its records that are on disk here.
    pub lasts: BTreeMap<RegionId, Hlc>,
    /// The stamps that this region has never given.
    pub pauses: Arc<[Pause]>,
    /// The peers that have given copies in the place of their logs.
    pub copied: BTreeSet<RegionId>,
    /// The number of each peer's directory that was met.
    pub met: BTreeMap<RegionId, u64>,
    /// What these peers did not have whole themselves and have still to give.
    pub owed: BTreeMap<RegionId, Owed>,
    /// Of the logs of which something is owed, up to where all is here. Peers are told no more:
    /// they would drop records that nobody else may have.
    pub unpaid: BTreeMap<RegionId, Seq>,
}

impl Local {
    /// Returns what peers are told of positions here: nothing of which some is owed.
    pub fn told(&self, positions: &VersionVector) -> VersionVector {
        let mut told = positions.clone();
        for origin in self.unpaid.keys() {
            told.lower(*origin, self.told_at(positions, *origin));
        }
        told
    }

    /// Returns what peers are told of the position of `origin` here.
    pub(crate) fn told_at(&self, positions: &VersionVector, origin: RegionId) -> Seq {
        let whole = self.unpaid.get(&origin).copied();
        positions.at(origin).min(whole.unwrap_or(Seq(u64::MAX)))
    }
}

/// Which items one region has still to give, of which tables.
pub type Owed = BTreeMap<TableId, CopyItems>;

/// Stamps that a region never gave, since its process did not run: those above `after`, up to
/// `until`. Whoever holds a record of that region with such a stamp has it from another copy of
/// its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The last stamp that was given before.
    pub after: Hlc,
    /// The stamp that all later ones are above.
    pub until: Hlc,
}

impl Pause {
    /// Returns whether a stamp falls into the pause.
    pub fn holds(&self, stamp: Hlc) -> bool {
        self.after < stamp && stamp <= self.until
    }
}

/// Why a connection ends. The peer's link is made again after a while.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nothing was heard for too long.
    #[error("nothing was heard from it for {0:?}")]
    Silent(Duration),
    /// The peer ended it, and said why.
    #[error("it refuses us: {0}")]
    Refused(#[from] Refusal),
    /// The peer sent what it may not send.
    #[error("it broke the protocol: {0}")]
    Protocol(&'static str),
    /// A table cannot be read here, and so cannot be copied to the peer.
    #[error("a table of ours cannot be read")]
    Unread,
    /// Others hold records that a log lacks: its region lost acknowledged writes.
    #[error(
        "up to {had}, records of {origin} were seen that its log, at {has}, does not hold: its \
         data is older"
    )]
    Rewound {
        /// The region whose log it is.
        origin: RegionId,
        /// Where its log ends.
        has: Seq,
        /// How far it has been seen.
        had: Seq,
    },
}
