//! The facade of API Gateway over a region in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a world that cannot be set up is a failed test"
)]

mod apis;
mod domains;
mod parts;
mod world;
