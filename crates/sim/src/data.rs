//! The data world: real tables, links and merge of several regions, under every fault.
//!
//! It judges what the code that ships does, by a truth that it keeps itself.
//!
//! ```text
//!   run ──► chaos: what happens next ──► world: heap of (time, order) ──► process: tables, links
//!    │                                     │  ▲                            │         │
//!    │                                     │  └─ network, clocks ◄─ effects ┘        tap
//!    └──── oracle: what must not be ◄──────┴──────────────────────── truth ◄───────── │
//!                                                                                MemStore
//! ```

pub mod run;

pub mod chaos;

pub mod client;

pub mod world;

pub mod process;

pub mod connection;

pub mod tap;

pub mod truth;

pub mod oracle;

pub mod tasks;
