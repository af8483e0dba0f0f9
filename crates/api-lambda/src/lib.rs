//! Lambda's REST-JSON shapes over control's resources.
//!
//! It runs no function: the region gives it a [`port::Runner`].
//! Source: Lambda API reference, 2015-03-31.

pub mod lambda;
pub mod limits;
pub mod port;

mod check;
mod configuration;
mod deploy;
mod fault;
mod invoke;
mod name;
mod operations;
mod policy;
mod settings;
mod tags;
