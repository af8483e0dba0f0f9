//! The program that fuzzes `partiql_statement`; what is tried stands in `crates/fuzz-targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::partiql_statement::run(data));
