//! Listeners, connections, TLS, dial table and owned tasks for the shells.
//!
//! It knows bytes, no protocol.
