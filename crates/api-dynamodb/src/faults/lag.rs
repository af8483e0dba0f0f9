//! Indexes that are late on purpose: reads of them answer as of a moment ago.
//!
//! Nothing is written late: what the store held is kept for as long as the longest lag, and a read
//! of a global secondary index looks there. Base tables and local indexes are never late.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use clock::time::Moment;
use store::port::Store;

use crate::catalog::OpenTable;
use crate::facade::DynamoDb;
use crate::indexes::OpenIndex;
use crate::limits::{LAG_PASTS_MAX, LAG_STEP_MIN};

/// How late the global secondary indexes of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lag {
    /// By how much.
    pub(crate) time: Duration,
    /// Since when they are: nothing from before that is answered.
    pub(crate) since: Moment,
}

/// How late indexes are, of all tables whose are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lags {
    shortest: Duration,
    longest: Duration,
    /// Since when those are that became late last.
    since: Moment,
}

impl Lags {
    /// Returns those of all tables; `None` where there is none.
    pub(crate) fn of(lags: impl Iterator<Item = Lag>) -> Option<Self> {
        let each = lags.map(|lag| Self {
            shortest: lag.time,
            longest: lag.time,
            since: lag.since,
        });
        each.reduce(|all, one| Self {
            shortest: all.shortest.min(one.shortest),
            longest: all.longest.max(one.longest),
            since: all.since.max(one.since),
        })
    }
}

/// What the store held at moments, the eldest first.
pub(crate) struct Pasts<P> {
    taken: VecDeque<(Moment, Arc<P>)>,
}

impl<P> Default for Pasts<P> {
    fn default() -> Self {
        let taken = VecDeque::new();
        Self { taken }
    }
}

impl<P> Pasts<P> {
    /// Keeps what the store holds at `now`; forgets what nobody looks at any more.
    fn keep(&mut self, now: Moment, past: P, longest: Duration) {
        self.taken.push_back((now, Arc::new(past)));
        // The newest of those that are old enough is the eldest that is looked at.
        let is_old =
            |at: Option<&(Moment, Arc<P>)>| at.is_some_and(|(at, _)| longest <= now.since(*at));
        while LAG_PASTS_MAX < self.taken.len() || is_old(self.taken.get(1)) {
            self.taken.pop_front();
        }
    }

    /// Returns, of those since the lag began, the newest that is old enough, or else the eldest.
    fn of(&self, now: Moment, lag: Lag) -> Option<&Arc<P>> {
        let late = || self.taken.iter().filter(|(at, _)| lag.since <= *at);
        let old = late().rev().find(|(at, _)| lag.time <= now.since(*at));
        old.or_else(|| late().next()).map(|(_, past)| past)
    }
}

impl<S: Store> DynamoDb<S> {
    /// Keeps what indexes hold, again and again, as long as a table asks for late ones.
    pub async fn follow_lags(&self) {
        let mut generation = self.generation.clone();
        loop {
            generation.borrow_and_update();
            match self.keep_past() {
                Some(step) => tokio::time::sleep(step).await,
                None => {
                    if generation.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Keeps what indexes hold at this moment, and returns after how long it is to be done again;
    /// `None`, and nothing is kept, where no table asks for late ones.
    pub fn keep_past(&self) -> Option<Duration> {
        let mut pasts = self.pasts.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked for under the lock: were the last tag to go, and all to be forgotten, in between,
        // nobody would forget what is kept after that.
        let Some(lags) = self.lags() else {
            pasts.taken.clear();
            return None;
        };
        let now = self.control.clock().now();
        pasts.keep(now, self.control.tables().past(), lags.longest);
        let most = u32::try_from(LAG_PASTS_MAX).unwrap_or(u32::MAX);
        // Two more than the longest lag has steps are in memory at once.
        let step = (lags.shortest / 10).max(lags.longest / (most - 4));
        Some(step.max(LAG_STEP_MIN))
    }

    /// Keeps what indexes hold before the first call that could change it since one became late.
    pub(crate) fn begin_past(&self) {
        let Some(lags) = self.lags() else {
            return;
        };
        let is_begun = {
            let pasts = self.pasts.lock().unwrap_or_else(PoisonError::into_inner);
            let newest = pasts.taken.back();
            newest.is_some_and(|(at, _)| lags.since <= *at)
        };
        if !is_begun {
            self.keep_past();
        }
    }

    /// Returns what a read of an index looks at, where that is late.
    pub(crate) fn past_of(&self, open: &OpenTable, index: &OpenIndex<'_>) -> Option<Arc<S::Past>> {
        let lag = open.lag.filter(|_| !index.view.is_local)?;
        let now = self.control.clock().now();
        let pasts = self.pasts.lock().unwrap_or_else(PoisonError::into_inner);
        pasts.of(now, lag).cloned()
    }
}

#[cfg(test)]
mod tests;
