//! Sources of repeated tokens as a script: the limits of a program's shape, from both sides.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    goop2_fuzz::loading::check(goop2_fuzz::tokens::source(data).as_bytes());
});
