//! How late each table's writes are seen in each other region: measured where they were made, and
//! kept minute by minute.
//!
//! It is told when records were sent and what a peer has applied; it reads no clock. A record
//! counts from its stamp to the peer's word that it is applied, by our clock.
//! Source: DynamoDB developer guide, "Global tables: monitoring" (`ReplicationLatency`).

use std::collections::{BTreeMap, VecDeque};

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;

use crate::frame::Data;
use crate::limits::{DELAY_MINUTES, DELAY_MINUTES_ALL, DELAYS_WAITING_MAX};
use crate::link::latency::{bucket_of, upper_bound};
use crate::vector::Seq;

/// Changes of our own log on their way to one peer.
#[derive(Debug)]
pub struct Flying {
    own: RegionId,
    waiting: VecDeque<Waiting>,
    sent: Seq,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    seq: Seq,
    committed: Hlc,
    table: TableId,
}

impl Flying {
    /// Makes what watches the log of region `own` on its way to a peer.
    pub const fn new(own: RegionId) -> Self {
        Self {
            own,
            waiting: VecDeque::new(),
            sent: Seq(0),
        }
    }

    /// Notes what goes to the peer. What is sent again counts since it was made, too.
    pub fn sent(&mut self, data: &Data) {
        if data.origin != self.own {
            return;
        }
        for record in data.records.iter().filter(|record| self.sent < record.seq) {
            let tables = record.changes.iter().map(|change| change.table);
            for table in tables.filter(|table| !table.is_system()) {
                // Where too much is on its way, the oldest is not measured.
                if self.waiting.len() >= DELAYS_WAITING_MAX {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(Waiting {
                    seq: record.seq,
                    committed: record.hlc,
                    table,
                });
            }
        }
        let last = data.records.last().map(|record| record.seq);
        self.sent = last.map_or(self.sent, |last| self.sent.max(last));
    }

    /// Takes what the peer has applied up to `seq`, with how late each change was when it said so.
    ///
    /// Units: microseconds, `said` of wall time by our clock.
    pub fn applied(&mut self, seq: Seq, said: i64) -> impl Iterator<Item = (TableId, u64)> {
        let count = self.waiting.partition_point(|waiting| waiting.seq <= seq);
        self.waiting.drain(..count).map(move |waiting| {
            let late = said.saturating_sub(waiting.committed.0);
            (waiting.table, u64::try_from(late).unwrap_or(0))
        })
    }
}

/// The delays of the last hours, minute by minute, of each table on its way to each region.
#[derive(Debug, Default)]
pub struct Minutes {
    pairs: BTreeMap<(TableId, RegionId), VecDeque<Minute>>,
    kept: usize,
}

/// The delays of one minute.
///
/// Units: microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Which minute since 1970.
    pub number: i64,
    /// How many there were.
    pub count: u64,
    /// All of them together.
    pub sum: u64,
    /// The least.
    pub min: u64,
    /// The worst.
    pub max: u64,
    counts: BTreeMap<u16, u32>,
}

impl Minutes {
    /// Counts one delay in, in a minute since 1970.
    pub fn note(&mut self, minute: i64, (table, to): (TableId, RegionId), micros: u64) {
        let minutes = self.pairs.entry((table, to)).or_default();
        // A clock that was set back counts into the minute that it was set back from.
        if minutes.back().is_none_or(|last| last.number < minute) {
            minutes.push_back(Minute::new(minute));
            self.kept += 1;
        }
        if let Some(last) = minutes.back_mut() {
            last.note(micros);
        }
        let floor = minute.saturating_sub(DELAY_MINUTES);
        while minutes.front().is_some_and(|first| first.number <= floor) {
            minutes.pop_front();
            self.kept -= 1;
        }
        if DELAY_MINUTES_ALL < self.kept {
            self.forget_oldest();
        }
    }

    /// Returns the tables and regions of which there is something, and the last minute of each.
    pub fn pairs(&self) -> impl Iterator<Item = (TableId, RegionId, i64)> {
        let pairs = self.pairs.iter();
        pairs.filter_map(|((table, to), minutes)| Some((*table, *to, minutes.back()?.number)))
    }

    /// Returns what there is of a table on its way to a region, from a minute on and before
    /// another.
    pub fn between(
        &self,
        pair: (TableId, RegionId),
        (from, until): (i64, i64),
    ) -> impl Iterator<Item = &Minute> {
        let minutes = self.pairs.get(&pair).into_iter().flatten();
        minutes.filter(move |minute| from <= minute.number && minute.number < until)
    }

    fn forget_oldest(&mut self) {
        let first = |minutes: &VecDeque<Minute>| minutes.front().map(|minute| minute.number);
        let oldest = self.pairs.values().filter_map(first).min();
        for minutes in self.pairs.values_mut() {
            if first(minutes) == oldest {
                minutes.pop_front();
                self.kept -= 1;
            }
        }
        self.pairs.retain(|_, minutes| !minutes.is_empty());
    }
}

impl Minute {
    fn new(number: i64) -> Self {
        Self {
            number,
            min: u64::MAX,
            ..Self::default()
        }
    }

    fn note(&mut self, micros: u64) {
        let bucket = u16::try_from(bucket_of(micros)).unwrap_or(u16::MAX);
        let count = self.counts.entry(bucket).or_default();
        *count = count.saturating_add(1);
        self.count += 1;
        self.sum = self.sum.saturating_add(micros);
        self.min = self.min.min(micros);
        self.max = self.max.max(micros);
    }

    /// Returns how many delays were about how long, exact below 64 microseconds and at most 1/32
    /// too long above, from the shortest on.
    pub fn spread(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.counts.iter();
        counts.map(|(bucket, count)| {
            let about = upper_bound(usize::from(*bucket)).clamp(self.min, self.max);
            (about, u64::from(*count))
        })
    }
}

#[cfg(test)]
mod tests;
