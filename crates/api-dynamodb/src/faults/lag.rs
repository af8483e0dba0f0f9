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

    /// Returns the newest that is at least so old, or else the eldest.
    fn of(&self, now: Moment, lag: Duration) -> Option<&Arc<P>> {
        let mut newest = self.taken.iter().rev();
        let old = newest.find(|(at, _)| lag <= now.since(*at));
        old.or_else(|| self.taken.front()).map(|(_, past)| past)
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
        let tables = self.tables_by_name();
        let lags = || tables.values().filter_map(|open| open.lag);
        let (shortest, longest) = (lags().min(), lags().max());
        let mut pasts = self.pasts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((shortest, longest)) = shortest.zip(longest) else {
            pasts.taken.clear();
            return None;
        };
        let now = self.control.clock().now();
        pasts.keep(now, self.control.tables().past(), longest);
        let most = u32::try_from(LAG_PASTS_MAX).unwrap_or(u32::MAX);
        // Two more than the longest lag has steps are in memory at once.
        let step = (shortest / 10).max(longest / (most - 4));
        Some(step.max(LAG_STEP_MIN))
    }

    /// Keeps what indexes hold before the first call that could change it.
    pub(crate) fn begin_past(&self) {
        let is_begun = {
            let pasts = self.pasts.lock().unwrap_or_else(PoisonError::into_inner);
            !pasts.taken.is_empty()
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
mod tests {
    use std::time::Duration;

    use clock::time::Moment;

    use super::Pasts;
    use crate::limits::LAG_PASTS_MAX;

    fn at(millis: u64) -> Moment {
        Moment::from_micros(millis * 1_000)
    }

    #[test]
    fn a_read_looks_at_the_newest_that_is_old_enough() {
        let second = Duration::from_secs(1);
        let mut pasts = Pasts::default();
        assert_eq!(pasts.of(at(0), second), None);
        for millis in (0..=3_000).step_by(100) {
            pasts.keep(at(millis), millis, second);
        }
        let of = |now, lag| {
            pasts
                .of(at(now), Duration::from_millis(lag))
                .map(|past| **past)
        };
        assert_eq!(of(3_050, 1_000), Some(2_000));
        assert_eq!(of(3_050, 100), Some(2_900));
        assert_eq!(of(3_050, 9_000), Some(2_000), "the eldest that is left");
        assert_eq!(pasts.taken.len(), 11);
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let mut pasts = Pasts::default();
        for millis in 0..1_000 {
            pasts.keep(at(millis), millis, Duration::from_mins(1));
        }
        assert_eq!(pasts.taken.len(), LAG_PASTS_MAX);
    }
}
