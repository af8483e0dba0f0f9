//! The program that fuzzes `dynamodb_json`; what is tried stands in `crates/fuzz-targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::dynamodb_json::run(data));
