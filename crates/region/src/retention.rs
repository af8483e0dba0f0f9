//! Forgetting what is kept for a while only: races in the conflict log.
//!
//! Tombstones and records of the change log are not its concern: replication knows who needs them.

use std::sync::Arc;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use clock::hlc::Hlc;
use clock::port::Clock;
use store::port::Store;
use table::conflict::retention::{Keep, Seen};
use table::tables::Tables;

use crate::limits::{CONFLICTS_AGE, CONFLICTS_BYTES, CONFLICTS_KEPT, CONFLICTS_PERIOD};

/// Forgets old races, again and again, until the tasks are cancelled.
pub(crate) fn start<S: Store>(
    tasks: &net::tasks::Tasks,
    tables: &Tables<S>,
    clock: &Arc<dyn Clock>,
) {
    tasks.spawn(forget(tables.clone(), Arc::clone(clock)));
}

async fn forget<S: Store>(tables: Tables<S>, clock: Arc<dyn Clock>) {
    let first = Instant::now() + CONFLICTS_PERIOD;
    let mut ticks = interval_at(first, CONFLICTS_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = Seen::default();
    loop {
        ticks.tick().await;
        let age = i64::try_from(CONFLICTS_AGE.as_micros()).unwrap_or(i64::MAX);
        let keep = Keep {
            since: Hlc(clock.wall().as_micros().saturating_sub(age)),
            entries: CONFLICTS_KEPT,
            bytes: CONFLICTS_BYTES,
        };
        if let Err(error) = tables.trim_conflicts(&keep, &mut seen).await {
            // The store tells of its own failure, and that ends the node.
            tracing::warn!(%error, "old conflicts could not be forgotten");
        }
    }
}
