//! Draining, as a node does it: it tells the others, and counts what is under way.
//!
//! It decides nothing: whether the region is drained is an item that all regions share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use control::control::Control;
use gateway::counters::Counters;
use health::plane::Handle;
use net::tasks::Tasks;
use store::port::Store;

/// Tells the other regions whether this one is drained, as it comes to be so.
pub(crate) fn start<S: Store>(tasks: &Tasks, control: &Control<S>, plane: &Handle) {
    let (control, plane) = (control.clone(), plane.clone());
    let mut follower = control.follower();
    tasks.spawn(async move {
        let region = control.project().region.clone();
        let mut drains = false;
        loop {
            follower.look();
            let is_drained = control.drain_of(&region).is_some();
            if is_drained && !drains {
                tracing::info!(%region, "drains: the other regions send nobody here any more");
                plane.drain().await;
            } else if drains && !is_drained {
                tracing::info!(%region, "serves again");
                plane.serve().await;
            }
            drains = is_drained;
            follower.published();
            if !follower.changed().await {
                return;
            }
        }
    });
}

/// What this region's clients wait for.
#[derive(Clone, Debug)]
pub(crate) struct UnderWay {
    calls: Arc<AtomicU64>,
    gateway: Arc<Counters>,
}

/// A call is under way until this is dropped.
pub(crate) struct Call(Arc<AtomicU64>);

impl UnderWay {
    /// Counts calls of the AWS APIs, beside the requests that a gateway counts.
    pub(crate) fn new(gateway: Arc<Counters>) -> Self {
        Self {
            calls: Arc::default(),
            gateway,
        }
    }

    /// Counts a call.
    pub(crate) fn call(&self) -> Call {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Call(Arc::clone(&self.calls))
    }

    /// Returns how many requests and calls are under way.
    pub(crate) fn count(&self) -> u64 {
        self.calls.load(Ordering::Relaxed) + self.gateway.read().requests_open
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
