//! Listeners, connections, TLS, dial table and owned tasks for the shells.
//!
//! It knows bytes, no protocol. All shells reach the network through it, so a
//! test or a demo can carry a region's traffic over emulated links.

pub mod authority;
pub mod dial;
pub mod listen;
pub mod lookups;
pub mod tasks;
pub mod tls;
