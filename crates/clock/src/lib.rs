//! Hybrid logical time, and the ports `Clock` and `Entropy`.
//!
//! It is not a calendar; only `wall` reads the operating system.

pub mod hlc;
pub mod port;
pub mod time;
pub mod wall;
