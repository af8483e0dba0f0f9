//! Certificate Manager's JSON shapes over control's resources.
//!
//! It signs no certificate.

pub mod facade;

mod import;
mod list;
mod show;
mod tags;

mod fault;
mod limits;
mod x509;
