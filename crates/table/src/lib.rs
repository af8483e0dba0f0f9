//! Tables over a store: conditional writes, queries, change log, remote merge.
//!
//! It knows no AWS name, no JSON and no network, and it spawns nothing, so it runs unchanged in
//! the simulation.

pub mod def;

pub mod tables;

pub mod write;

pub mod limit;

pub mod notes;

pub mod read;

pub mod index;

pub mod collection;

pub mod expire;

pub mod log;

pub mod history;

pub mod rewind;

pub mod remote;

pub mod copy;

pub mod replica;

pub mod directory;

pub mod link;

pub mod conflict;

pub mod inquiry;

pub mod planted;

pub mod limits;

mod layout;

mod locks;

mod merging;

mod pages;

mod state;
