//! Data frames that have come over one connection and are not worked off.
//!
//! It holds no more than the window and one frame. The frame that is being applied counts.

use std::collections::VecDeque;

use base::region::RegionId;
use clock::hlc::Hlc;

use crate::frame::Data;
use crate::limits::{FRAME_BYTES_CUT, FRAME_BYTES_MAX, WINDOW_BYTES};

/// What has come and is not worked off.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    queue: VecDeque<Data>,
    queued: u64,
    consumed: u64,
    applying: Option<Applying>,
    tickets: u64,
}

/// A frame that is being applied.
#[derive(Debug)]
pub(super) struct Applying {
    ticket: u64,
    /// Whose records.
    pub(super) origin: RegionId,
    /// Their stamps.
    pub(super) stamps: Vec<Hlc>,
    /// The connection that brought it is gone.
    pub(super) stale: bool,
    cost: u64,
}

impl Inbox {
    /// Returns what was worked off since the connection began.
    ///
    /// Units: bytes, by [`Data::cost`].
    pub(super) const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Takes a frame in. Returns whether the sender kept to its window.
    pub(super) fn push(&mut self, data: Data) -> bool {
        self.queued += data.cost();
        self.queue.push_back(data);
        self.queued <= WINDOW_BYTES.as_u64() + FRAME_BYTES_MAX.as_u64()
    }

    /// Works a frame off without applying it.
    pub(super) fn skip(&mut self, data: &Data) {
        self.consumed += data.cost();
    }

    /// Works off all waiting frames of `origin` without applying them.
    pub(super) fn throw_away(&mut self, origin: RegionId) {
        let thrown = self.queue.iter().filter(|data| data.origin == origin);
        let thrown: u64 = thrown.map(Data::cost).sum();
        self.queue.retain(|data| data.origin != origin);
        self.queued -= thrown;
        self.consumed += thrown;
    }

    /// Returns what to apply next, unless something is being applied: the next frame, and those
    /// behind it that go on where it ends. Together they cost one batch of the store.
    pub(super) fn take(&mut self) -> Option<(u64, Data)> {
        if self.applying.is_some() {
            return None;
        }
        let mut data = self.queue.pop_front()?;
        let mut cost = data.cost();
        while let Some(next) = self.queue.front() {
            let follows = next.origin == data.origin && next.after == data.to;
            if !follows || cost + next.cost() > FRAME_BYTES_CUT.as_u64() {
                break;
            }
            cost += next.cost();
            data.to = next.to;
            let next = self.queue.pop_front();
            data.records
                .extend(next.into_iter().flat_map(|next| next.records));
        }
        self.tickets += 1;
        self.applying = Some(Applying {
            ticket: self.tickets,
            origin: data.origin,
            stamps: data.records.iter().map(|record| record.hlc).collect(),
            stale: false,
            cost,
        });
        Some((self.tickets, data))
    }

    /// Notes that a frame was applied, or could not be. Returns which it was.
    pub(super) fn done(&mut self, ticket: u64) -> Option<Applying> {
        let applying = self
            .applying
            .take_if(|applying| applying.ticket == ticket)?;
        if !applying.stale {
            self.queued -= applying.cost;
            self.consumed += applying.cost;
        }
        Some(applying)
    }

    /// Forgets the connection. What is being applied goes on, and counts for nothing.
    pub(super) fn down(&mut self) {
        self.queue.clear();
        (self.queued, self.consumed) = (0, 0);
        if let Some(applying) = &mut self.applying {
            applying.stale = true;
        }
    }

    pub(super) fn debug_assert_invariants(&self) {
        let applying = self.applying.as_ref().filter(|applying| !applying.stale);
        debug_assert_eq!(
            self.queued,
            self.queue.iter().map(Data::cost).sum::<u64>()
                + applying.map_or(0, |applying| applying.cost),
            "what waits is what was counted"
        );
        debug_assert!(
            self.applying.is_some() || self.queue.is_empty(),
            "nothing waits while nothing is applied"
        );
    }
}
