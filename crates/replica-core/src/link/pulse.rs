//! One connection's signs of life, and what they tell of the round trip and the peer's clock.
//!
//! It sends nothing: it says when something is due.
//! Source: RFC 5905 §8 (on-wire protocol): the least delayed sample has the least error.

use std::collections::VecDeque;
use std::time::Duration;

use clock::time::{Moment, WallTime};

use crate::frame::{Echo, Sample};
use crate::limits::{BEAT_BUSY, BEAT_IDLE, DEAD_AFTER, SAMPLES_MAX};
use crate::link::{LinkError, Now};
use crate::planted::Planted;

/// One connection's signs of life.
#[derive(Clone, Debug)]
pub struct Pulse {
    heard: Moment,
    said: Moment,
    beat: Moment,
    last: Option<(Moment, Moment)>,
}

impl Pulse {
    /// Makes the pulse of a connection that is made at `now`.
    pub const fn new(now: Now) -> Self {
        Self {
            heard: now.moment,
            said: now.moment,
            beat: now.moment,
            last: None,
        }
    }

    /// Notes that bytes came from the peer.
    pub fn heard(&mut self, now: Now) {
        self.heard = now.moment.max(self.heard);
    }

    /// Notes that a frame without a sample goes out.
    pub const fn said(&mut self, now: Now) {
        self.said = now.moment;
    }

    /// Notes that a beat goes out. Returns the sample to say in it.
    pub fn beat(&mut self, now: Now) -> Sample {
        self.said = now.moment;
        self.beat = now.moment;
        let echo = self.last.map(|(said, heard)| Echo {
            said,
            held: micros(now.moment - heard),
        });
        Sample {
            said: now.moment,
            wall: now.wall,
            echo,
        }
    }

    /// Notes a peer's sample; its echo is measured into `clocks`.
    pub fn sampled(&mut self, now: Now, sample: Sample, clocks: &mut PeerClock) {
        self.last = Some((sample.said, now.moment));
        if let Some(echo) = sample.echo {
            let held = Duration::from_micros(echo.held);
            let rtt = now.moment.since(echo.said).saturating_sub(held);
            clocks.note(rtt, sample.wall, now.wall);
        }
    }

    /// Returns what is due at `now`.
    pub fn due(&self, now: Now, planted: Planted) -> Due {
        if self.dead_at() <= now.moment && planted != Planted::MissingDeadline {
            Due::End(LinkError::Silent(DEAD_AFTER))
        } else if self.beat_at() <= now.moment {
            Due::Beat
        } else {
            Due::Nothing
        }
    }

    /// Returns when something is due.
    pub fn due_at(&self, planted: Planted) -> Moment {
        if planted == Planted::MissingDeadline {
            return self.beat_at();
        }
        self.beat_at().min(self.dead_at())
    }

    /// Returns when a beat is due.
    pub fn beat_at(&self) -> Moment {
        (self.said + BEAT_IDLE).min(self.beat + BEAT_BUSY)
    }

    /// Returns when the peer counts as dead if nothing comes.
    pub fn dead_at(&self) -> Moment {
        self.heard + DEAD_AFTER
    }
}

/// What a connection's heartbeat makes due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// The peer is to hear that we are alive.
    Beat,
    /// The peer counts as dead.
    End(LinkError),
}

/// What is known of the way to a peer and of its clock.
#[derive(Clone, Debug, Default)]
pub struct PeerClock {
    smoothed: Option<Duration>,
    samples: VecDeque<(Duration, i64)>,
}

impl PeerClock {
    /// Returns the round trip, smoothed.
    pub const fn rtt(&self) -> Option<Duration> {
        self.smoothed
    }

    /// Returns how far the peer's wall clock is ahead of ours.
    ///
    /// Units: microseconds; negative where the peer's clock is behind.
    pub fn ahead(&self) -> Option<i64> {
        self.samples
            .iter()
            .min_by_key(|(rtt, _)| *rtt)
            .map(|(_, ahead)| *ahead)
    }

    fn note(&mut self, rtt: Duration, theirs: WallTime, ours: WallTime) {
        self.smoothed = Some(match self.smoothed {
            None => rtt,
            Some(smoothed) => (smoothed * 7 + rtt) / 8,
        });
        let oneway = i64::try_from(micros(rtt) / 2).unwrap_or(i64::MAX);
        let ahead = theirs.as_micros().saturating_add(oneway);
        if self.samples.len() == SAMPLES_MAX {
            self.samples.pop_front();
        }
        self.samples
            .push_back((rtt, ahead.saturating_sub(ours.as_micros())));
        debug_assert!(self.samples.len() <= SAMPLES_MAX, "samples are bounded");
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
