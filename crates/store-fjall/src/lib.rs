//! The storage port on the embedded log-structured engine fjall.
//!
//! It knows no table.
