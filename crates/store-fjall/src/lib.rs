//! The storage port on the embedded log-structured engine fjall.
//!
//! It knows no table.

pub mod commits;

pub mod directory;

pub mod engine;

mod buffers;

mod committer;

mod journal;

mod mark;
