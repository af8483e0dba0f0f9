//! Counts of what the gateway did.
//!
//! They are sums since the start; a reader takes differences.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

/// Counts of what the gateway did.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) connections: Count,
    pub(crate) connections_open: Count,
    pub(crate) handshakes_failed: Count,
    pub(crate) requests: Count,
    requests_open: Count,
    pub(crate) handed_to_us: Count,
    pub(crate) handed_on: Count,
    pub(crate) rescued: Count,
    classes: [Count; 4],
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Client connections accepted.
    pub connections: u64,
    /// Client connections that are open.
    pub connections_open: u64,
    /// Connections that did not finish their TLS handshake.
    pub handshakes_failed: u64,
    /// Requests, other regions' included.
    pub requests: u64,
    /// Requests that are under way: whose responses are not sent whole.
    pub requests_open: u64,
    /// Requests that other regions handed to this one.
    pub handed_to_us: u64,
    /// Times a request was handed to another region.
    pub handed_on: u64,
    /// Requests that failed here and that another region answered.
    pub rescued: u64,
    /// Responses by class: 2xx and below, 3xx, 4xx, 5xx.
    pub responses: [u64; 4],
}

/// A number that many tasks count up.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request that is under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<Counters>);

impl Open {
    pub(crate) fn new(counters: &Arc<Counters>) -> Self {
        counters.requests_open.up();
        Self(Arc::clone(counters))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.requests_open.down();
    }
}

impl Counters {
    /// Counts a response.
    pub(crate) fn response(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(2, 5) - 2;
        if let Some(count) = self.classes.get(class) {
            count.up();
        }
    }

    /// Reads all counts.
    pub fn read(&self) -> Reading {
        let [success, redirect, client, server] = &self.classes;
        Reading {
            connections: self.connections.read(),
            connections_open: self.connections_open.read(),
            handshakes_failed: self.handshakes_failed.read(),
            requests: self.requests.read(),
            requests_open: self.requests_open.read(),
            handed_to_us: self.handed_to_us.read(),
            handed_on: self.handed_on.read(),
            rescued: self.rescued.read(),
            responses: [
                success.read(),
                redirect.read(),
                client.read(),
                server.read(),
            ],
        }
    }
}
