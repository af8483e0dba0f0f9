//! Lambda's REST-JSON shapes over control's resources.
//!
//! It runs no process.
