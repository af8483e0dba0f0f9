//! Real processes on emulated links for end-to-end tests.
//!
//! It is never in the release graph.
