//! Any path as a request for a file: a public one or a refusal.
#![no_main]

libfuzzer_sys::fuzz_target!(|path: &[u8]| {
    goop2_fuzz::peer::site::check(path);
    goop2_fuzz::peer::site::check(&[b"GET /", path].concat());
});
