//! The program that fuzzes `sigv4_request`; what is tried stands in `crates/fuzz-targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::sigv4_request::run(data));
