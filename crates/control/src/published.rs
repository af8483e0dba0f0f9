//! Who publishes what follows from resources, and how far each has come.
//!
//! It publishes nothing: it lets an answer wait until what was changed is in force here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// How long a change waits until everything that follows from it is in force. 2 s: building the
/// largest snapshots takes a fraction of that. The change itself is done by then.
const PATIENCE: Duration = Duration::from_secs(2);

/// All who publish.
#[derive(Debug, Default)]
pub(crate) struct Published {
    // As many as the parts of a node.
    followers: Mutex<Vec<watch::Receiver<u64>>>,
}

/// One who publishes what follows from resources: routes, zones, functions.
///
/// Before each snapshot is made, [`Follower::look`]; once it is published, [`Follower::published`].
#[derive(Debug)]
pub struct Follower {
    generation: watch::Receiver<u64>,
    seen: u64,
    published: watch::Sender<u64>,
}

impl Published {
    pub(crate) fn join(&self, mut generation: watch::Receiver<u64>) -> Follower {
        let seen = *generation.borrow_and_update();
        let (published, receiver) = watch::channel(seen);
        let mut followers = self
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        followers.push(receiver);
        Follower {
            generation,
            seen,
            published,
        }
    }

    /// Waits until all have published what follows from `generation`, at most a while.
    pub(crate) async fn reached(&self, generation: u64) {
        let followers = {
            let mut followers = self
                .followers
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // Those who are gone publish no more.
            followers.retain(|follower| follower.has_changed().is_ok());
            let behind = followers
                .iter()
                .filter(|follower| *follower.borrow() < generation);
            behind.cloned().collect::<Vec<_>>()
        };
        if followers.is_empty() {
            return;
        }
        let all = async {
            for mut follower in followers {
                // An error says that this one is gone.
                drop(
                    follower
                        .wait_for(|published| generation <= *published)
                        .await,
                );
            }
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::warn!(
                generation,
                "a change is made, but not all of it is in force yet"
            );
        }
    }
}

impl Follower {
    /// Waits until resources changed; returns false once there are no more changes to come.
    pub async fn changed(&mut self) -> bool {
        self.generation.changed().await.is_ok()
    }

    /// Notes that what is made from here on sees the resources as they are.
    pub fn look(&mut self) {
        self.seen = *self.generation.borrow_and_update();
    }

    /// Notes that what was made since [`Follower::look`] is published.
    pub fn published(&self) {
        self.published.send_replace(self.seen);
    }
}

#[cfg(test)]
mod tests;
