//! Any bytes as a script: a program or a typed error, soon; what loads then runs for a moment.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| goop2_fuzz::loading::check(source));
