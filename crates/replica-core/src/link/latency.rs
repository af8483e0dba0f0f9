//! Latencies of the last minute: how many, the median, the 99th percentile, the worst.
//!
//! It is no general histogram: values are microseconds, exact below 64 and within 1/32 above;
//! the number of values and the worst one are exact.

use std::collections::VecDeque;

use clock::time::Moment;

use crate::limits::{LATENCY_SLOT, LATENCY_SLOTS};

/// The latencies of the last minute.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    slots: VecDeque<Slot>,
}

/// What the latencies of the last minute come to.
///
/// Units: microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many there were.
    pub count: u64,
    /// Half of them were at most this.
    pub p50: u64,
    /// All but one in a hundred were at most this.
    pub p99: u64,
    /// The worst.
    pub max: u64,
}

#[derive(Clone, Debug)]
struct Slot {
    number: u64,
    counts: Box<[u32]>,
    count: u64,
    max: u64,
}

impl Latencies {
    /// Counts one latency in.
    pub fn note(&mut self, now: Moment, micros: u64) {
        let number = slot_of(now);
        self.forget(number);
        if self.slots.back().is_none_or(|slot| slot.number < number) {
            self.slots.push_back(Slot::new(number));
        }
        if let Some(slot) = self.slots.back_mut() {
            slot.note(micros);
        }
        debug_assert!(self.slots.len() <= LATENCY_SLOTS, "slots are bounded");
    }

    /// Returns what the last minute's latencies come to.
    pub fn summary(&mut self, now: Moment) -> Summary {
        self.forget(slot_of(now));
        let count = self.slots.iter().map(|slot| slot.count).sum();
        let max = self.slots.iter().map(|slot| slot.max).max().unwrap_or(0);
        let mut summary = Summary {
            count,
            max,
            ..Summary::default()
        };
        let mut seen = 0;
        for bucket in 0..BUCKETS {
            let here: u64 = self.slots.iter().map(|slot| slot.at(bucket)).sum();
            let upper = upper_bound(bucket).min(max);
            if seen * 2 < count && count <= (seen + here) * 2 {
                summary.p50 = upper;
            }
            if seen * 100 < count * 99 && count * 99 <= (seen + here) * 100 {
                summary.p99 = upper;
            }
            seen += here;
        }
        debug_assert_eq!(seen, count, "every latency is in one bucket");
        summary
    }

    fn forget(&mut self, number: u64) {
        let kept = LATENCY_SLOTS as u64;
        while self
            .slots
            .front()
            .is_some_and(|slot| slot.number + kept <= number)
        {
            self.slots.pop_front();
        }
    }
}

impl Slot {
    fn new(number: u64) -> Self {
        Self {
            number,
            counts: vec![0; BUCKETS].into(),
            count: 0,
            max: 0,
        }
    }

    fn note(&mut self, micros: u64) {
        if let Some(count) = self.counts.get_mut(bucket_of(micros)) {
            *count = count.saturating_add(1);
        }
        self.count += 1;
        self.max = micros.max(self.max);
    }

    fn at(&self, bucket: usize) -> u64 {
        self.counts.get(bucket).copied().map_or(0, u64::from)
    }
}

fn slot_of(now: Moment) -> u64 {
    now.as_micros() / u64::try_from(LATENCY_SLOT.as_micros()).unwrap_or(u64::MAX)
}

/// Buckets of width 1 below 64; above, 32 to each doubling.
pub(crate) fn bucket_of(micros: u64) -> usize {
    let capped = micros.min(CAP);
    let bucket = if capped < EXACT {
        capped
    } else {
        let doubling = u64::from(capped.ilog2()) - 6;
        let within = (capped >> (doubling + 1)) & 31;
        EXACT + doubling * 32 + within
    };
    usize::try_from(bucket).unwrap_or(BUCKETS - 1)
}

/// Returns the largest value that falls in `bucket`.
pub(crate) fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let (doubling, within) = ((bucket - EXACT) / 32, (bucket - EXACT) % 32);
    ((33 + within) << (doubling + 1)) - 1
}

const EXACT: u64 = 64;

/// Latencies above 19 hours count as 19 hours in the percentiles.
const CAP: u64 = (1 << 36) - 1;

const BUCKETS: usize = 64 + 30 * 32;

#[cfg(test)]
mod tests;
