//! One region: builds its parts, wires their channels, starts and stops them in order.
//!
//! It decides nothing.

pub mod config;

pub mod node;

pub mod identity;

pub mod proof;

mod views;

mod bodies;
mod server;

mod forward;

mod admin;
mod draining;

mod expiry;
mod retention;

mod buckets;

mod status;

mod limits;

mod credentials;

mod sessions;

mod ports;
