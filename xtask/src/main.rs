//! The project's own tasks: test, tidy, bench.
//!
//! It is never in the release graph.

fn main() {}
