//! The storage port: ordered keys, atomic durable batches.
//!
//! It knows no engine and no table.
