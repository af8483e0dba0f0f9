//! A seeded world of regions: time, network, disk, faults, oracles.
//!
//! It is never in the release graph.
