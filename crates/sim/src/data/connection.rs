//! One connection: bytes in order in both directions, stalled by cuts, as TCP does.
//!
//! It knows no protocol beyond the greeting's two words, which stand for the whole handshake.

use std::collections::VecDeque;

use bytes::BytesMut;

use clock::time::Moment;
use replica_core::frame::Frame;
use replica_core::limits::FRAME_BYTES_MAX;

use crate::data::process::ends::Role;

/// A connection that region `from` dialled to region `to`.
#[derive(Debug)]
pub struct Connection {
    /// Who dialled, and sends its log.
    pub from: usize,
    /// Who listens.
    pub to: usize,
    /// From the dialler to the listener.
    down: Way,
    /// From the listener to the dialler.
    up: Way,
    /// Everything is lost without a word, for ever.
    pub silent: bool,
}

/// One direction.
#[derive(Debug)]
pub struct Way {
    parcels: VecDeque<Parcel>,
    /// When the last parcel arrives: none overtakes it.
    pub last: Moment,
}

/// What travels.
#[derive(Debug)]
pub enum Parcel {
    /// The dialler greets.
    Hello,
    /// The listener has accepted.
    Welcome,
    /// A frame's bytes.
    Frame(BytesMut),
    /// This end is closed, or there is none.
    End,
}

impl Connection {
    /// Makes a connection of which the dialler's first bytes leave at `now`.
    pub fn new(from: usize, to: usize, now: Moment) -> Self {
        Self {
            from,
            to,
            down: Way::new(now),
            up: Way::new(now),
            silent: false,
        }
    }

    /// Returns from where to where the way leads that this end sends on.
    pub fn ends(&self, sender: Role) -> (usize, usize) {
        match sender {
            Role::Sending => (self.from, self.to),
            Role::Receiving => (self.to, self.from),
        }
    }

    /// Returns the way that this end sends on.
    pub fn way(&mut self, sender: Role) -> &mut Way {
        match sender {
            Role::Sending => &mut self.down,
            Role::Receiving => &mut self.up,
        }
    }
}

impl Way {
    fn new(now: Moment) -> Self {
        Self {
            parcels: VecDeque::new(),
            last: now,
        }
    }

    /// Puts a parcel behind all others.
    pub fn put(&mut self, parcel: Parcel) {
        self.parcels.push_back(parcel);
    }

    /// Takes the first parcel.
    pub fn take(&mut self) -> Option<Parcel> {
        self.parcels.pop_front()
    }
}

impl Parcel {
    /// Packs a frame.
    pub fn pack(frame: &Frame) -> Self {
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes);
        Self::Frame(bytes)
    }

    /// Unpacks a frame; `None` where it is none, which no connection delivers.
    pub fn unpack(bytes: &mut BytesMut) -> Option<Frame> {
        let frame = Frame::take(bytes, FRAME_BYTES_MAX.as_len());
        frame.ok().flatten()
    }
}
