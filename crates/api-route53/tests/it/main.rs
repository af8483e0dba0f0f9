//! Tests of the facade as clients use it: a request in, a document out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;
mod cidr;
mod records;
mod sut;
mod zones;
