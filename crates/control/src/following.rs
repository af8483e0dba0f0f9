//! What a region does all the time for its resources.
//!
//! It decides nothing: each kind of work stands with what it is about.

use store::port::Store;

use crate::control::Control;

impl<S: Store> Control<S> {
    /// Loads changes as they come, and does what is asked for by them, until the tables are closed.
    pub async fn follow(&self) {
        tokio::select! {
            () = self.follow_changes() => {}
            () = self.follow_replicas() => {}
            () = self.follow_copies() => {}
            () = self.follow_indexes() => {}
            () = self.follow_collections() => {}
        }
    }

    /// Counts large item collections as their sizes come to be asked for.
    async fn follow_collections(&self) {
        loop {
            if let Err(error) = self.tables().count_collections().await {
                tracing::error!(%error, "an item collection could not be counted");
            }
            self.tables().collections_due().await;
        }
    }

    async fn follow_changes(&self) {
        let mut progress = self.tables().system_progress();
        loop {
            if let Err(error) = self.refresh().await {
                tracing::error!(%error, "resources that changed could not be loaded");
            }
            if progress.changed().await.is_err() {
                return;
            }
        }
    }
}
