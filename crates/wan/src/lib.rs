//! Relays on loopback that carry public inter-region delays, and cuts.
//!
//! It emulates no packet loss and no congestion control.
