//! The comment at a script's head: bounded, printable, and told apart from the program.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| goop2_fuzz::headers::check(source));
