//! Routes, domains and request mapping of HTTP APIs, as decisions.
//!
//! It opens no socket and calls no function.

pub mod config;
pub mod resolve;

pub mod cors;
pub mod invoke;
pub mod refusal;
pub mod route;
pub mod uri;

pub mod limits;
