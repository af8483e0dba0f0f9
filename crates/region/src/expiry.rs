//! Deleting items whose time has come, as long as the node runs.
//!
//! It decides nothing about an item: `table` does, while the item is locked.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use clock::port::Clock;
use store::port::Store;
use table::expire::DamagedItem;
use table::tables::Tables;

use crate::limits::{DAMAGED_KEPT_MAX, EXPIRY_PERIOD};

/// Deletes what has expired, again and again, until the tasks are cancelled.
pub(crate) fn start<S: Store>(
    tasks: &net::tasks::Tasks,
    tables: &Tables<S>,
    clock: &Arc<dyn Clock>,
) {
    tasks.spawn(sweep(tables.clone(), Arc::clone(clock)));
}

async fn sweep<S: Store>(tables: Tables<S>, clock: Arc<dyn Clock>) {
    let first = Instant::now() + EXPIRY_PERIOD;
    let mut ticks = interval_at(first, EXPIRY_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = BTreeSet::new();
    loop {
        ticks.tick().await;
        // Between two sweeps other writes have their turn: each waits for its own flush.
        while match tables.expire(clock.wall()).await {
            Ok(expired) => {
                tell(&expired.damaged, &mut told);
                expired.more
            }
            Err(error) => {
                // The store tells of its own failure, and that ends the node.
                tracing::warn!(%error, "items that have expired could not be deleted");
                false
            }
        } {}
    }
}

/// Logs items that cannot be read, each once while it is among those that were told.
fn tell(damaged: &[DamagedItem], told: &mut BTreeSet<DamagedItem>) {
    for item in damaged {
        if told.len() < DAMAGED_KEPT_MAX && told.insert(*item) {
            let (table, key) = (item.table, format!("{:032x}", item.key.0));
            tracing::error!(%table, key_digest = key, "an item cannot be read, and never expires");
        }
    }
}
