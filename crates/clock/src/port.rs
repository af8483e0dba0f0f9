//! The ports through which time and randomness enter.
//!
//! Production uses [`crate::wall`]; the simulation brings its own.

use crate::time::{Moment, WallTime};

/// Reads time. Cheap, and never blocks.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current moment of the monotonic clock.
    fn now(&self) -> Moment;

    /// Returns the wall clock's reading, which may jump either way.
    fn wall(&self) -> WallTime;
}

/// Gives random bits. Never blocks.
pub trait Entropy: Send + Sync + 'static {
    /// Returns 64 random bits, fit for identifiers and secrets.
    fn random(&self) -> u64;
}
