//! Probes and gossip sockets around health-core.
//!
//! It decides no verdict.
