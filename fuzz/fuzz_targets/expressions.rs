//! The program that fuzzes `expressions`; what is tried stands in `crates/fuzz-targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::expressions::run(data));
