//! Routes, domains and request mapping of HTTP APIs, as decisions.
//!
//! It opens no socket and calls no function.

pub mod invoke;
