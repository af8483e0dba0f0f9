//! Routes, domains and request mapping of HTTP APIs, as decisions.
//!
//! It opens no socket and calls no function.

pub mod config;
pub mod resolve;
pub mod route;
pub mod uri;

pub mod arrival;
pub mod event;
pub mod headers;
pub mod invoke;
pub mod reply;

pub mod cors;
pub mod failover;
pub mod handover;
pub mod refusal;
pub mod session;

pub mod limits;
