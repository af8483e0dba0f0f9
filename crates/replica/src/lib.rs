//! Log tailing and region-to-region links around replica-core.
//!
//! It merges nothing itself.

pub mod links;

pub mod status;

pub mod greeting;

pub mod delays;

pub mod comparing;

pub mod joining;

mod asking;

mod answering;

mod listening;

mod telling;

mod sending;

mod receiving;

mod watching;

mod connection;

mod wire;

pub mod limits;
