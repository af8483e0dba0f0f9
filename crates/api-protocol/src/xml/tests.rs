//! Tests of `xml`.
