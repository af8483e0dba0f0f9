//! A wide-area network on loopback: relays that carry public delays, and cuts.
//!
//! It moves no packets, so it models no loss and no congestion control.

pub mod limits;
pub mod links;
pub mod relay;

mod pace;
