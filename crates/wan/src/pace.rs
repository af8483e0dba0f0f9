//! Waiting for a moment, more precisely than the runtime's timers.
//!
//! tokio's timers tick in whole milliseconds and round up, which would add one to two
//! milliseconds to each direction of a link. One thread for all links sleeps to the microsecond
//! and wakes the tasks. It decides nothing about order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clock::port::Clock;
use clock::time::Moment;
use clock::wall::System;
use tokio::sync::oneshot;

/// Where moments come from, and how they are waited for.
#[derive(Clone, Debug)]
pub(crate) enum Pace {
    /// The operating system's clock and a thread of its own.
    Precise(Arc<Pacer>),
    /// The runtime's clock, which tests may pause.
    Runtime(tokio::time::Instant),
}

impl Pace {
    /// Starts the thread.
    pub(crate) fn precise() -> io::Result<Self> {
        Ok(Self::Precise(Arc::new(Pacer::start()?)))
    }

    /// Uses the clock of the runtime that this is called in.
    pub(crate) fn of_runtime() -> Self {
        Self::Runtime(tokio::time::Instant::now())
    }

    /// Returns the current moment.
    pub(crate) fn now(&self) -> Moment {
        match self {
            Self::Precise(_) => System.now(),
            Self::Runtime(origin) => Moment::default() + origin.elapsed(),
        }
    }

    /// Waits until `moment`, never less.
    pub(crate) async fn until(&self, moment: Moment) {
        match self {
            Self::Precise(pacer) => pacer.until(moment).await,
            Self::Runtime(origin) => {
                let since = moment.since(Moment::default());
                tokio::time::sleep_until(*origin + since).await;
            }
        }
    }
}

/// A thread that wakes tasks at their moments. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Pacer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    due: BinaryHeap<Reverse<Sleeper>>,
    closed: bool,
}

#[derive(Debug)]
struct Sleeper {
    at: Moment,
    wake: oneshot::Sender<()>,
}

impl Pacer {
    fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let run = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("wan-pacer".to_owned())
            .spawn(move || run.run())?;
        Ok(Self(shared))
    }

    async fn until(&self, at: Moment) {
        if at <= System.now() {
            return;
        }
        let (wake, woken) = oneshot::channel();
        {
            let mut state = self.0.lock();
            let first = state.due.peek().is_none_or(|Reverse(head)| at < head.at);
            state.due.push(Reverse(Sleeper { at, wake }));
            if first {
                self.0.changed.notify_one();
            }
        }
        // The thread outlives every `Pacer`, so it never drops a sender unsent while we wait.
        _ = woken.await;
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics with the lock held; the heap is whole in any case.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.closed {
            let now = System.now();
            let wait = match state.due.peek() {
                Some(Reverse(head)) if now < head.at => head.at.since(now),
                Some(_) => {
                    let Some(Reverse(sleeper)) = state.due.pop() else {
                        continue;
                    };
                    // Waking is a system call at times: others may queue meanwhile.
                    drop(state);
                    _ = sleeper.wake.send(());
                    state = self.lock();
                    continue;
                }
                None => IDLE,
            };
            state = match self.changed.wait_timeout(state, wait) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

/// How long the thread sleeps when nobody waits; a new sleeper wakes it.
const IDLE: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests;
