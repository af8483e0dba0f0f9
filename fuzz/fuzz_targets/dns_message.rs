//! The program that fuzzes `dns_message`; what is tried stands in `crates/fuzz-targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::dns_message::run(data));
