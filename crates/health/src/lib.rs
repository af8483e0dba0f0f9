//! Probes and gossip sockets around health-core.
//!
//! It decides no verdict: one task drives one [`health_core::health::Health`], carries its
//! datagrams, makes its probes and publishes its views.

pub mod limits;
pub mod plane;
pub mod roster;
pub mod stats;

mod http;
mod probe;
mod request;
