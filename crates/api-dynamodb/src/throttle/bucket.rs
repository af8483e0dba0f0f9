//! A token bucket: units come in with time, are kept up to a bound, and are taken.
//!
//! It reads no clock. A call is let in while there is anything left, whatever it turns out to
//! cost: what it reads is known only afterwards, so that the level may fall below zero, and the
//! calls after it wait until that is paid. Source: DynamoDB developer guide, "Burst and adaptive
//! capacity"; "Amazon DynamoDB: A Scalable, Predictably Performant, and Fully Managed NoSQL
//! Database Service", USENIX ATC 2022 (admission control by token buckets).

use clock::time::Moment;

use crate::capacity::Units;
use crate::limits::BURST_SECS;

/// What is left of a capacity, as of a moment.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Units: millionths of half a capacity unit, below zero where more was taken than there was.
    level: i64,
    at: Moment,
}

impl Bucket {
    /// Makes a bucket with what comes in in one second: nothing was left unused before.
    pub(crate) fn new(now: Moment, rate: u64) -> Self {
        Self {
            level: secs(rate, 1),
            at: now,
        }
    }

    /// Takes the least that a call costs, if there is anything left. `rate` is what comes in, in
    /// capacity units a second.
    pub(crate) fn admit(&mut self, now: Moment, rate: u64, least: Units) -> bool {
        let is_open = self.is_open(now, rate);
        if is_open {
            self.take(least);
        }
        is_open
    }

    /// Returns whether there is anything left.
    pub(crate) fn is_open(&mut self, now: Moment, rate: u64) -> bool {
        self.fill(now, rate);
        0 < self.level
    }

    /// Takes what a call has cost, be it there or not.
    pub(crate) fn take(&mut self, units: Units) {
        let taken = i64::try_from(units.halves()).unwrap_or(i64::MAX);
        self.level = self.level.saturating_sub(taken.saturating_mul(MILLION));
    }

    fn fill(&mut self, now: Moment, rate: u64) {
        // Calls come with moments that they read before they waited.
        let micros = i64::try_from(now.since(self.at).as_micros()).unwrap_or(i64::MAX);
        let came = halves(rate).saturating_mul(micros);
        self.level = self.level.saturating_add(came).min(secs(rate, BURST_SECS));
        self.at = self.at.max(now);
    }
}

/// Returns what comes in in some seconds.
fn secs(rate: u64, secs: i64) -> i64 {
    halves(rate).saturating_mul(secs).saturating_mul(MILLION)
}

fn halves(rate: u64) -> i64 {
    i64::try_from(rate).unwrap_or(i64::MAX).saturating_mul(2)
}

const MILLION: i64 = 1_000_000;

#[cfg(test)]
mod tests;
