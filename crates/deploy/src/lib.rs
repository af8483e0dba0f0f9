//! Manifest to AWS calls: a pure plan, then signed requests.
//!
//! It sees regions only through their APIs, so the same plan serves Hither and AWS.
//!
//! ```text
//! manifest + inputs ─► plan: ordered tasks ─► execute: look, create or change, wait
//!                        │                        │
//!                        └► commands to print     └► client: sign, send, read
//! ```

pub mod call;
pub mod client;
pub mod credentials;
pub mod execute;
pub mod known;
pub mod limits;
pub mod operation;
pub mod package;
pub mod plan;
pub mod resource;
