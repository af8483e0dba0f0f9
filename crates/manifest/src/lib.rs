//! The one file: parsed with spans, defaults explicit, all mistakes at once.
//!
//! It deploys nothing and starts nothing. `parse` is pure; what must be looked at on a machine
//! (files, ports) goes through the port in `surroundings`.

pub mod limits;
pub mod model;
pub mod parse;
pub mod problem;
pub mod report;
pub mod surroundings;
