//! What answers messages for one task: the view it follows and its own random numbers.
//!
//! It touches no socket, so that one datagram or a batch of them can be received around it.

use std::net::IpAddr;
use std::sync::Arc;

use dns_core::answer::{self, Outcome, Transport};
use dns_core::view::View;
use tokio::sync::watch;

/// Answers messages for one task.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    views: watch::Receiver<Arc<View>>,
    view: Arc<View>,
    seed: u64,
}

impl Worker {
    pub(crate) fn new(mut views: watch::Receiver<Arc<View>>, seed: u64) -> Self {
        let view = Arc::clone(&views.borrow_and_update());
        Self { views, view, seed }
    }

    /// Makes a worker for another task, with random numbers of its own.
    pub(crate) fn fork(&mut self) -> Self {
        self.seed = self.seed.rotate_left(21).wrapping_add(FORK_STEP);
        Self::new(self.views.clone(), self.seed)
    }

    /// Takes over the view in force; without a lock where it is still the same.
    ///
    /// When nobody publishes any more the last view stays in force.
    pub(crate) fn refresh(&mut self) {
        if self.views.has_changed().unwrap_or(false) {
            self.view = Arc::clone(&self.views.borrow_and_update());
        }
    }

    /// Answers one message into `reply`.
    pub(crate) fn answer(
        &mut self,
        packet: &[u8],
        from: (IpAddr, Transport),
        reply: &mut Vec<u8>,
    ) -> Outcome {
        self.seed = self.seed.wrapping_add(1);
        answer::respond(&self.view, packet, from, self.seed, reply)
    }
}

/// Far from 1, so that the numbers of two workers do not meet soon.
const FORK_STEP: u64 = 0x9e37_79b9_7f4a_7c15;
