//! Log positions, frames, merge rule, frontier and link state of replication.
//!
//! It opens no socket and reads no clock.
