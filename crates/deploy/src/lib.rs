//! Manifest to AWS calls: a pure plan, then signed requests.
//!
//! It sees regions only through their APIs.
