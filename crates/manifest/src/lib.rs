//! The one file: parsed with spans, defaults explicit, all mistakes at once.
//!
//! It starts nothing.
