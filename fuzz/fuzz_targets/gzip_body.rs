//! The program that fuzzes `gzip_body`; what is tried stands in `crates/fuzz-targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::gzip_body::run(data));
