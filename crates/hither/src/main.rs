//! The `hither` command.
//!
//! It parses arguments and calls the crates; it decides nothing.

fn main() {}
