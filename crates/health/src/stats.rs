//! What the health plane counted.
//!
//! It keeps no addresses and no texts.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of a plane.
#[derive(Debug, Default)]
pub struct Stats {
    pub(crate) sent: AtomicU64,
    pub(crate) unsent: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) probes: AtomicU64,
    pub(crate) failures: AtomicU64,
}

/// All counters at one moment. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Gossip datagrams sent.
    pub sent: u64,
    /// Gossip datagrams that the kernel had no room for, or no way.
    pub unsent: u64,
    /// Gossip datagrams received.
    pub received: u64,
    /// Those of them that were refused: foreign, forged, repeated.
    pub refused: u64,
    /// Probes that ended.
    pub probes: u64,
    /// Those of them that failed.
    pub failures: u64,
}

impl Stats {
    /// Reads all counters.
    pub fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            sent: read(&self.sent),
            unsent: read(&self.unsent),
            received: read(&self.received),
            refused: read(&self.refused),
            probes: read(&self.probes),
            failures: read(&self.failures),
        }
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
