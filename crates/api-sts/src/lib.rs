//! The caller-identity calls that tools make first.
//!
//! It issues no credential.
