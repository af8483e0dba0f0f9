//! Tables over a store: conditional writes, queries, change log, remote merge.
//!
//! It knows no AWS name, no JSON and no network.
