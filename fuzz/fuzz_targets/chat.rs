//! Any bytes as a chat message.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| goop2_fuzz::peer::chat::check(bytes));
