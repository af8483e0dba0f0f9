//! Whether a failed request may be served by another region, and by which.
//!
//! It sends nothing and measures nothing. A request that did not reach a backend may go on
//! whatever its method; one that did may be repeated only where that is the same as doing it once.
//! Source: RFC 9110 §9.2.2 (idempotent methods).

use std::net::SocketAddr;
use std::time::Duration;

use base::region::RegionName;
use http::Method;

use crate::invoke::InvokeError;
use crate::limits::{ATTEMPTS_MAX, REPEAT_SHARE_MILLI, REPEATS_SAVED_MAX};
use crate::resolve::Named;

/// Another region's gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The region.
    pub region: RegionName,
    /// Where its gateway listens for TLS.
    pub address: SocketAddr,
    /// What is known of its health.
    pub health: Health,
    /// The one-way delay to it.
    pub delay: Duration,
}

/// What is known of a region's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It can serve.
    Healthy,
    /// It cannot, or is not known to.
    Unhealthy,
}

/// How far a request had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// No backend saw it.
    Unsent,
    /// A backend may have done some of its work.
    Sent,
}

/// A request that failed in one region.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'r> {
    /// The request's method.
    pub method: &'r Method,
    /// How far it had come.
    pub progress: Progress,
    /// How long the client still waits.
    pub left: Duration,
    /// Whether its body can be sent again.
    pub body: Replay,
    /// Where it came from.
    pub source: Source,
    /// Under whose name it was asked.
    pub named: Named,
}

/// Whether a request's body can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It is kept in memory, or there is none.
    Kept,
    /// It has been streamed away.
    Gone,
}

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A client.
    Client,
    /// Another region's gateway.
    Gateway,
}

/// Why a failed request goes nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Another region handed it over; that region decides.
    #[error("it was handed over")]
    HandedOver,
    /// It asked for this region's own endpoint, whose health is this region's.
    #[error("it is for this region alone")]
    ThisRegionOnly,
    /// Its body has been streamed away.
    #[error("its body cannot be sent again")]
    BodyGone,
    /// A backend may have begun, and the method is not one to do twice.
    #[error("its method is not idempotent and a backend may have begun")]
    NotRepeatable,
    /// As many regions were asked as are allowed.
    #[error("enough regions were asked")]
    Attempts,
    /// No healthy region is left that could answer in time.
    #[error("no healthy region can answer in time")]
    NoRegion,
    /// Too many requests are being repeated already.
    #[error("the share of repeats is used up")]
    Budget,
}

/// How many repeats are left: a share of all requests, with some saved for a quiet time.
///
/// Units: thousandths of a repeat.
#[derive(Clone, Debug)]
pub struct Budget {
    saved_milli: u64,
}

impl Budget {
    /// Makes a full budget.
    pub fn new() -> Self {
        Self {
            saved_milli: REPEATS_SAVED_MAX * 1_000,
        }
    }

    /// Counts a request of a client.
    pub fn earn(&mut self) {
        let earned = self.saved_milli + REPEAT_SHARE_MILLI;
        self.saved_milli = earned.min(REPEATS_SAVED_MAX * 1_000);
    }

    /// Takes one repeat, if there is one.
    fn spend(&mut self) -> bool {
        let left = self.saved_milli.checked_sub(1_000);
        self.saved_milli = left.unwrap_or(self.saved_milli);
        left.is_some()
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the region that is to serve a failed request: the nearest healthy one not yet asked.
///
/// `asked` are the other regions asked so far. Only a request that a backend may have seen costs
/// a repeat: one that none saw adds no work anywhere by moving on.
/// Errors: [`Stop`] when the failure is the client's answer.
pub fn next_region<'p>(
    peers: &'p [Peer],
    asked: &[RegionName],
    failed: Failed<'_>,
    budget: &mut Budget,
) -> Result<&'p Peer, Stop> {
    if matches!(failed.source, Source::Gateway) {
        return Err(Stop::HandedOver);
    }
    if matches!(failed.named, Named::Endpoint) {
        return Err(Stop::ThisRegionOnly);
    }
    if matches!(failed.body, Replay::Gone) {
        return Err(Stop::BodyGone);
    }
    let repeat = matches!(failed.progress, Progress::Sent);
    // RFC 9110 §9.2.2 names the methods whose repetition has the effect of one request.
    if repeat && !failed.method.is_idempotent() {
        return Err(Stop::NotRepeatable);
    }
    if asked.len() + 1 >= ATTEMPTS_MAX {
        return Err(Stop::Attempts);
    }
    let able = peers.iter().filter(|peer| {
        matches!(peer.health, Health::Healthy)
            && !asked.contains(&peer.region)
            && peer.delay * 2 < failed.left
    });
    let nearest = able.min_by_key(|peer| (peer.delay, &peer.region));
    let nearest = nearest.ok_or(Stop::NoRegion)?;
    if repeat && !budget.spend() {
        return Err(Stop::Budget);
    }
    debug_assert!(!asked.contains(&nearest.region), "no region is asked twice");
    Ok(nearest)
}

/// Returns how far a request had come when its function gave no answer.
pub fn progress(error: &InvokeError) -> Progress {
    if error.has_begun() {
        Progress::Sent
    } else {
        Progress::Unsent
    }
}

#[cfg(test)]
mod tests;
