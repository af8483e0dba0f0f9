//! The program that fuzzes `keys`; what is tried stands in `crates/fuzz-targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::keys::run(data));
