//! What a region has of all regions' logs, and how a session waits for more of them.
//!
//! It serves nothing.

use std::sync::Arc;
use std::time::Duration;

use base::region::RegionId;
use gateway_core::session::{Log, Positions, Session, SessionKey, State};
use tokio::sync::watch;
use tokio::time::timeout;

/// What a gateway knows of the regions' logs.
#[derive(Clone)]
pub struct Seen {
    /// The region's own number.
    pub here: RegionId,
    /// What is here of all logs.
    pub log: Arc<dyn Log>,
    /// Changes whenever more of them is.
    pub progress: watch::Receiver<u64>,
    /// What tokens are signed with.
    pub key: SessionKey,
}

impl Seen {
    /// Waits until all of `seen` can be read here, for as long as `patience` at most.
    pub async fn reach(&self, seen: &Positions, patience: Duration) -> State {
        if self.log.applied().covers(seen) {
            return State::Met;
        }
        let mut progress = self.progress.clone();
        let reached = async {
            loop {
                progress.mark_unchanged();
                if self.log.applied().covers(seen) {
                    return State::Met;
                }
                if progress.changed().await.is_err() {
                    return State::Unmet;
                }
            }
        };
        timeout(patience, reached).await.unwrap_or(State::Unmet)
    }

    /// Returns the token of whoever was served here, after coming with `before`.
    pub fn token(&self, before: Option<(Session, State)>) -> String {
        let after = Session::after(before, self.here, self.log.touched());
        after.seal(&self.key)
    }
}
