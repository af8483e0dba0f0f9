//! The HTTP server and proxy around gateway-core.
//!
//! It decides no route.
