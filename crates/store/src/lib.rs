//! The storage port: ordered keys, atomic durable batches.
//!
//! It knows no engine and no table.

pub mod port;

pub mod memory;

pub mod conformance;
