//! What reads strangers' bytes, as functions that a fuzzer calls.
//!
//! It fuzzes nothing itself: `fuzz/` does, and this crate's test runs every kept input.

pub mod cbor_body;
pub mod dns_message;
pub mod dynamodb_json;
pub mod expressions;
pub mod front_door;
pub mod gzip_body;
pub mod iam_policy;
pub mod item_codec;
pub mod item_files;
pub mod keys;
pub mod numbers;
pub mod partiql_statement;
pub mod replication;
pub mod session_token;
pub mod sigv4_request;
pub mod targets;
