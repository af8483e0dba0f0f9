//! Log positions, frames, merge rule, frontier and link state of replication.
//!
//! It opens no socket and reads no clock.

pub mod vector;

pub mod record;

pub mod merge;

pub mod merged;

pub mod frontier;

pub mod digest;

pub mod inquiry;

pub mod frame;

pub mod link;

pub mod delays;

pub mod planted;

pub mod limits;

mod wire;
