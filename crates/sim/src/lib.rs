//! A seeded world of regions: time, network, faults, a model of the truth, and oracles.
//!
//! It is never in the release graph, and it runs the cores that ship, not copies of them.
//!
//! ```text
//!   run ──► transition: what goes wrong next ──► world: heap of (time, order) ──► region: parts
//!    │                                            │     ▲                          │
//!    │                                            │     └── network, clocks ◄── effects
//!    └──── oracle: what must not be ◄── model: what is true
//! ```
//!
//! [`data`] is a second world, of tables and replication; it shares chance, clocks and network.
//!
//! The same seed gives the same run, event by event; [`run::Report`] carries a digest to prove it.
//! A further core joins as a part of [`region::Region`]: it gets inputs and a reading of the
//! clocks, and returns [`effect::Effect`]s that the world carries out.

pub mod agenda;
pub mod chance;
pub mod clocks;
pub mod data;
pub mod effect;
pub mod merging;
pub mod model;
pub mod network;
pub mod oracle;
pub mod region;
pub mod run;
pub mod transition;
pub mod world;
