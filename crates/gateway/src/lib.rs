//! The HTTP server and proxy around gateway-core.
//!
//! It decides no route.

pub mod gateway;

pub mod body;
pub mod counters;
pub mod limits;
pub mod seen;
pub mod snapshot;

mod admit;
mod connection;
mod exchange;
mod ids;
mod patient;
mod pool;
mod room;
mod serve;
