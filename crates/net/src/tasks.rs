//! Owned tasks: whoever spawns them ends them.
//!
//! It is no scheduler; it is the only place that calls `tokio::spawn`.

use std::future::Future;
use std::time::Duration;

use tokio_util::task::TaskTracker;

pub use tokio_util::sync::CancellationToken as Token;

/// The tasks of one part of a region. Dropping it cancels them all.
#[derive(Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    token: Token,
}

impl Tasks {
    /// Makes an empty set of tasks.
    pub fn new() -> Self {
        Self {
            tracker: TaskTracker::new(),
            token: Token::new(),
        }
    }

    /// Runs `task` until it ends or this set is cancelled, whichever comes first.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where tasks are spawned"
    )]
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.token.clone();
        tokio::spawn(self.tracker.track_future(async move {
            token.run_until_cancelled_owned(task).await;
        }));
    }

    /// Runs `task`, which watches [`Tasks::token`] itself, until it ends: for work that drains.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where tasks are spawned"
    )]
    pub fn spawn_draining<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(self.tracker.track_future(task));
    }

    /// Returns the token that is cancelled when the tasks are to end.
    pub fn token(&self) -> Token {
        self.token.clone()
    }

    /// Waits for the tasks to end by themselves; no more may be spawned meanwhile.
    pub async fn join(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Cancels the tasks and waits for them, at most `grace`. Returns whether all ended in time.
    pub async fn shutdown(&self, grace: Duration) -> bool {
        self.token.cancel();
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait())
            .await
            .is_ok()
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.token.cancel();
    }
}
