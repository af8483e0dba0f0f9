//! Round trip and clock offset of one peer, from the echoes in its heartbeats.
//!
//! It sets no clock.
//! Source: RFC 5905 §8 (four timestamps) and §10 (the quickest of eight samples).

use std::time::Duration;

use clock::time::{Moment, WallTime};

use crate::limits::SAMPLES;

/// How far a peer's wall clock is ahead of ours.
///
/// Units: microseconds; negative where it is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockOffset(pub i64);

/// The delay to a peer and the difference of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerDelay {
    /// The smoothed round trip.
    pub rtt: Duration,
    /// The quickest of the latest round trips.
    pub rtt_min: Duration,
    /// The peer's clock against ours, as the quickest round trip showed it.
    pub offset: ClockOffset,
}

/// The latest samples of one peer.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    latest: [Option<(Duration, ClockOffset)>; SAMPLES],
    next: usize,
    smoothed: Option<Duration>,
}

impl Samples {
    /// Takes in an echo that arrived at `now` and `wall` in a heartbeat sent at `peer_wall`.
    /// `echo` is when we sent what it echoes, plus the time that the peer held it.
    ///
    /// Shape: an echo from the future is left out.
    pub fn take(&mut self, now: Moment, wall: WallTime, echo: Moment, peer_wall: WallTime) {
        if now < echo {
            return;
        }
        let rtt = now.since(echo);
        let half = i64::try_from(rtt.as_micros() / 2).unwrap_or(i64::MAX);
        let ahead = peer_wall.as_micros().saturating_add(half);
        let offset = ClockOffset(ahead.saturating_sub(wall.as_micros()));
        if let Some(slot) = self.latest.get_mut(self.next) {
            *slot = Some((rtt, offset));
        }
        self.next = (self.next + 1) % SAMPLES;
        // TCP's gain of an eighth: RFC 6298 §2.
        self.smoothed = Some(
            self.smoothed
                .map_or(rtt, |smoothed| (smoothed * 7 + rtt) / 8),
        );
    }

    /// Returns the estimate; `None` before the first echo.
    pub fn estimate(&self) -> Option<PeerDelay> {
        let (rtt_min, offset) = self.latest.iter().flatten().min().copied()?;
        Some(PeerDelay {
            rtt: self.smoothed?,
            rtt_min,
            offset,
        })
    }
}

#[cfg(test)]
mod tests;
