//! Futures polled by hand, in the order in which they were spawned.
//!
//! It is no runtime: it has no time, no threads and no I/O, so one seed gives one order.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Futures that belong to one process, and end with it.
pub struct Tasks<T> {
    tasks: Vec<Task<T>>,
}

struct Task<T> {
    future: Pin<Box<dyn Future<Output = T> + Send>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<T> Default for Tasks<T> {
    fn default() -> Self {
        Self { tasks: Vec::new() }
    }
}

impl<T> Tasks<T> {
    /// Adds a future; the next [`Tasks::run`] polls it.
    pub fn spawn(&mut self, future: impl Future<Output = T> + Send + 'static) {
        self.tasks.push(Task {
            future: Box::pin(future),
            woken: Arc::new(Woken(AtomicBool::new(true))),
        });
    }

    /// Polls what was woken until nothing is. Returns what was finished.
    pub fn run(&mut self) -> Vec<T> {
        let mut finished = Vec::new();
        while self.turn(&mut finished) {}
        finished
    }

    /// Returns whether any future was polled.
    fn turn(&mut self, finished: &mut Vec<T>) -> bool {
        let mut polled = false;
        self.tasks.retain_mut(|task| {
            if !task.woken.0.swap(false, Ordering::Relaxed) {
                return true;
            }
            polled = true;
            let waker = Waker::from(Arc::clone(&task.woken));
            match task.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => {
                    finished.push(output);
                    false
                }
                Poll::Pending => true,
            }
        });
        polled
    }
}

/// Runs a future that has nothing to wait for.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a read of a store in memory waits for nothing"),
    }
}

#[cfg(test)]
mod tests;
