//! Log tailing and region-to-region links around replica-core.
//!
//! It merges nothing itself.

pub mod links;

pub mod status;

mod greeting;

mod listening;

mod sending;

mod receiving;

mod watching;

mod connection;

pub mod limits;
