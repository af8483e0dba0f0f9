//! How late this region's writes are seen in the others: noted by the sending tasks, read by
//! whoever asks.
//!
//! It is kept in memory alone, and begins anew with the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use base::name::TableId;
use base::region::RegionId;
use clock::time::WallTime;
use replica_core::delays::Minutes;

/// The delays of a region's writes.
#[derive(Debug, Default)]
pub struct Delays {
    minutes: Mutex<Minutes>,
}

impl Delays {
    /// Returns them to be read. Nothing is noted meanwhile.
    pub fn read(&self) -> MutexGuard<'_, Minutes> {
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how late changes were seen in another region.
    ///
    /// Units: microseconds.
    pub(crate) fn note(
        &self,
        now: WallTime,
        peer: RegionId,
        late: impl Iterator<Item = (TableId, u64)>,
    ) {
        let minute = now.as_micros().div_euclid(MINUTE_MICROS);
        let mut late = late.peekable();
        if late.peek().is_none() {
            return;
        }
        let mut minutes = self.read();
        for (table, micros) in late {
            minutes.note(minute, (table, peer), micros);
        }
    }
}

const MINUTE_MICROS: i64 = 60_000_000;
