//! The caller-identity calls that tools make first.
//!
//! It issues no credential, and holds no state: who calls stands in the request.

pub mod identity;
