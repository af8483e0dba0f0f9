//! The hybrid logical clock, and the versions that order all writes.
//!
//! It is not a wall clock: it never goes back, and it follows what it has seen.
//! Source: Kulkarni et al., "Logical Physical Clocks" (2014), with one 64-bit microsecond
//! count in place of the pair, so that a stamp is also a valid CQL write timestamp.

use std::cmp::Ordering;
use std::time::Duration;

use base::region::RegionId;

use crate::time::WallTime;

/// A stamp of the hybrid logical clock.
///
/// Units: microseconds, close to wall time since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hlc(pub i64);

impl Hlc {
    /// Returns the stamp of what ends a write with this stamp by itself, as its expiry does: later
    /// than the write, and earlier than every write with a later stamp. As a version of the
    /// write's region it is earlier than writes of the same stamp that win over the write, too.
    ///
    /// Shape: odd, since clocks give even stamps only. Those of the first data directories may be
    /// odd; their end is no write's stamp either.
    pub const fn end(self) -> Self {
        Self((self.0 + 1) | 1)
    }

    /// Returns whether the stamp is one of [`Hlc::end`].
    pub const fn is_end(self) -> bool {
        self.0 & 1 == 1
    }

    /// Returns the stamp as the wall time it is close to.
    pub const fn as_wall(self) -> WallTime {
        WallTime::from_micros(self.0)
    }
}

/// The version of an item: when it was written, and where. The later version wins.
///
/// The order is the merge rule: first the stamp, then the region's number. What ends a write by
/// itself comes right after that write: its stamp is one that clocks do not give, and it is told
/// from the write last. See [`Hlc::end`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Version {
    /// The stamp of the write.
    pub hlc: Hlc,
    /// The region that wrote it.
    pub origin: RegionId,
}

impl Version {
    /// Returns the version of what ends this write by itself, whichever region ends it.
    #[must_use]
    pub const fn end(self) -> Self {
        Self {
            hlc: self.hlc.end(),
            origin: self.origin,
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |version: &Self| {
            let Hlc(micros) = version.hlc;
            (micros >> 1, version.origin, micros & 1)
        };
        rank(self).cmp(&rank(other))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A peer's stamp lies so far ahead that following it would let it win every race.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a peer's clock is {ahead:?} ahead of ours, more than the allowed {allowed:?}")]
pub struct TooFarAhead {
    /// How far ahead of our wall clock the stamp lies.
    pub ahead: Duration,
    /// How far ahead a stamp may lie.
    pub allowed: Duration,
}

/// How far ahead of our wall clock a peer's stamp may lie before we refuse to follow it. 500 ms.
/// NTP-disciplined hosts stay within tens of milliseconds; larger skews are faults.
pub const AHEAD_MAX: Duration = Duration::from_millis(500);

/// One region's hybrid logical clock.
#[derive(Clone, Debug, Default)]
pub struct HybridClock {
    last: Hlc,
}

impl HybridClock {
    /// Makes a clock that continues after `last`, the highest stamp that was ever stored.
    pub const fn after(last: Hlc) -> Self {
        Self { last }
    }

    /// Returns a new stamp, later than every stamp this clock has given or seen, and than `seen`.
    ///
    /// Shape: even; see [`Hlc::end`].
    pub fn tick(&mut self, now: WallTime, seen: Hlc) -> Hlc {
        let next = now.as_micros().max(self.last.0 + 1).max(seen.0 + 1);
        let next = next + (next & 1);
        debug_assert!(next > self.last.0, "a hybrid clock never goes back");
        self.last = Hlc(next);
        self.last
    }

    /// Follows a peer's stamp, so that our next stamp is later.
    ///
    /// Errors: [`TooFarAhead`] when the stamp is more than [`AHEAD_MAX`] ahead of `now`;
    /// the clock is unchanged then.
    pub fn observe(&mut self, now: WallTime, seen: Hlc) -> Result<(), TooFarAhead> {
        let ahead = u64::try_from(seen.0.saturating_sub(now.as_micros())).unwrap_or(0);
        let ahead = Duration::from_micros(ahead);
        if ahead > AHEAD_MAX {
            return Err(TooFarAhead {
                ahead,
                allowed: AHEAD_MAX,
            });
        }
        self.last = self.last.max(seen);
        Ok(())
    }

    /// Returns a promise: every later stamp of this clock will be above the returned one.
    pub fn horizon(&mut self, now: WallTime) -> Hlc {
        self.last = self.last.max(Hlc(now.as_micros() - 1));
        self.last
    }

    /// Returns the highest stamp given or seen.
    pub const fn last(&self) -> Hlc {
        self.last
    }
}

#[cfg(test)]
mod tests;
