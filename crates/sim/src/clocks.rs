//! A region's clocks: a monotonic one that is true, a wall clock that need not be.
//!
//! Nothing here runs by itself: the world moves all clocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use clock::port::Clock;
use clock::time::{Moment, WallTime};

/// World time at its beginning. One second, so that "a second ago" is always a moment.
pub const START: Moment = Moment::from_micros(1_000_000);

/// Wall time at the world's beginning: 2026-01-01 00:00 UTC.
const WALL_START: i64 = 1_767_225_600_000_000;

/// The clocks of one region, shared with the cores that read them through the port.
#[derive(Clone, Debug)]
pub struct Clocks(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    micros: AtomicU64,
    skew: AtomicI64,
}

impl Clocks {
    /// Makes clocks whose wall clock is ahead of the truth by `skew` microseconds.
    pub fn new(skew: i64) -> Self {
        Self(Arc::new(Hands {
            micros: AtomicU64::new(START.as_micros()),
            skew: AtomicI64::new(skew),
        }))
    }

    /// Moves the clocks on to `now`.
    pub fn set(&self, now: Moment) {
        self.0.micros.store(now.as_micros(), Ordering::Relaxed);
    }

    /// Makes the wall clock jump.
    pub fn jump(&self, by_micros: i64) {
        self.0.skew.fetch_add(by_micros, Ordering::Relaxed);
    }

    /// Returns how far the wall clock is ahead of the truth.
    pub fn skew_micros(&self) -> i64 {
        self.0.skew.load(Ordering::Relaxed)
    }
}

impl Clock for Clocks {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.micros.load(Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        let micros = self.0.micros.load(Ordering::Relaxed);
        let since = i64::try_from(micros).unwrap_or(i64::MAX);
        WallTime::from_micros(WALL_START + since + self.skew_micros())
    }
}

/// Returns a duration as microseconds; what does not fit is the largest.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
