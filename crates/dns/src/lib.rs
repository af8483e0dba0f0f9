//! UDP and TCP listeners around dns-core.
//!
//! It decides no answer. One task for each UDP socket and one for the TCP listener share nothing
//! but the view, which they follow, and their counters, which each has for itself.

pub mod limits;
pub mod server;
pub mod stats;
mod tcp;
mod udp;
mod worker;
