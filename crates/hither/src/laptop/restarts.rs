//! When a region whose process failed is started again, and when no more.
//!
//! It starts nothing and waits for nothing. Source: systemd.service(5), `Restart=on-failure`;
//! systemd.unit(5), `StartLimitBurst=`.

use std::collections::VecDeque;
use std::time::Duration;

use clock::time::Moment;

/// Most restarts of a region within [`WINDOW`]. 5, as systemd's own default; a region that fails
/// again and again has a reason that no restart mends.
pub(crate) const RESTARTS_MAX: usize = 5;

/// The time within which restarts are counted. 5 minutes: longer than so many starts may take.
pub(crate) const WINDOW: Duration = Duration::from_mins(5);

/// How long the first restart waits. 250 ms; each further one within the window waits twice as
/// long as the one before it, so that the last waits 4 s.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The restarts of one region.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    /// When it was decided to start it again.
    decided: VecDeque<Moment>,
}

/// What becomes of a region that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is started again after this long.
    After(Duration),
    /// It has been started again too often.
    GiveUp,
}

impl Restarts {
    /// Decides what becomes of the region, which failed at `now`.
    pub(crate) fn failed(&mut self, now: Moment) -> Next {
        while let Some(oldest) = self.decided.front()
            && WINDOW <= now.since(*oldest)
        {
            self.decided.pop_front();
        }
        if RESTARTS_MAX <= self.decided.len() {
            return Next::GiveUp;
        }
        let mut pause = FIRST_PAUSE;
        for _ in 0..self.decided.len() {
            pause *= 2;
        }
        self.decided.push_back(now);
        Next::After(pause)
    }
}

#[cfg(test)]
mod tests {
    //! Tests of pauses and of giving up.

    use super::*;

    #[test]
    fn pauses_grow_and_a_region_that_goes_on_failing_is_given_up() {
        let (mut restarts, mut now) = (Restarts::default(), Moment::default());
        let mut pauses = Vec::new();
        while let Next::After(pause) = restarts.failed(now) {
            pauses.push(pause.as_millis());
            now = now + pause;
        }
        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000]);
        assert_eq!(restarts.failed(now), Next::GiveUp);
    }

    #[test]
    fn old_failures_are_forgotten() {
        let (mut restarts, mut now) = (Restarts::default(), Moment::default());
        for _ in 0..3 * RESTARTS_MAX {
            assert_eq!(restarts.failed(now), Next::After(FIRST_PAUSE));
            now = now + WINDOW;
        }
        for _ in 0..RESTARTS_MAX {
            assert_ne!(restarts.failed(now), Next::GiveUp);
        }
        // Just within the window of the first of them.
        now = now + WINDOW.mul_f64(0.99);
        assert_eq!(restarts.failed(now), Next::GiveUp);
    }
}
