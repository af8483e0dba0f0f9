//! Every shared resource as an item of a system table, and snapshots of them.
//!
//! It serves no request itself. The resources replicate through the same log, and merge by the
//! same rule, as users' items do.

pub mod system;

pub mod project;

pub mod resource;

pub mod settings;

pub mod control;

pub mod published;

mod holdings;

mod following;

pub mod tables;

pub mod history;

pub mod backups;

pub mod exports;

pub mod loads;

pub mod reset;

pub mod dns;

pub mod drains;

pub mod gateway;

pub mod certificates;

pub mod functions;

pub mod access;

pub mod seal;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
