#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| stern_rs::fuzz::pretty(input));
