//! How many batches were committed, and how many of them shared a flush.
//!
//! It counts; it changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much was committed since the store was opened. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Commits(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    batches: AtomicU64,
    groups: AtomicU64,
}

impl Commits {
    /// Returns how many batches were written.
    pub fn batches(&self) -> u64 {
        self.0.batches.load(Ordering::Relaxed)
    }

    /// Returns in how many groups that was: the batches of a group share one flush.
    pub fn groups(&self) -> u64 {
        self.0.groups.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, batches: usize) {
        let batches = u64::try_from(batches).unwrap_or(u64::MAX);
        self.0.batches.fetch_add(batches, Ordering::Relaxed);
        self.0.groups.fetch_add(1, Ordering::Relaxed);
    }
}
