//! The operating system's clock and randomness: the only place that reads them.
//!
//! Nothing here can be replayed; the simulation uses other implementations of the ports.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::port::{Clock, Entropy};
use crate::time::{Moment, WallTime};

/// The operating system's clock and random generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the port's own implementation"
    )]
    fn now(&self) -> Moment {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let elapsed = ORIGIN.get_or_init(Instant::now).elapsed();
        // One second ahead of zero, so that "a second ago" is always a moment.
        Moment::from_micros(1_000_000 + u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the port's own implementation"
    )]
    fn wall(&self) -> WallTime {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        WallTime::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

impl Entropy for System {
    fn random(&self) -> u64 {
        getrandom::u64().expect("the operating system has a random generator")
    }
}
