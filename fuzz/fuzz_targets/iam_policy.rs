//! The program that fuzzes `iam_policy`; what is tried stands in `crates/fuzz-targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::iam_policy::run(data));
