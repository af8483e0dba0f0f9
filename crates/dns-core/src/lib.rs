//! Zones, record sets, routing policies and the answer to one query.
//!
//! It opens no socket and reads no clock.
