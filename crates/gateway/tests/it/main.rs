//! The gateway on real loopback sockets: protocols, bad input, other regions, and its end.

#![expect(
    clippy::unwrap_used,
    reason = "a world that cannot be set up is a failed test"
)]

mod drain;
mod elsewhere;
mod function;
mod hostile;
mod http2;
mod proxy;
mod sessions;
mod world;
