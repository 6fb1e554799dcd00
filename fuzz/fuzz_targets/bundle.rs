//! Templates of any names and contents.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| goop2_fuzz::peer::bundles::check(data));
