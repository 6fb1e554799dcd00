//! Formats and numbers give what reference Lua 5.1 gives.
#![no_main]

use goop2_fuzz::formats::{case, check};

libfuzzer_sys::fuzz_target!(|data: &[u8]| check(&case(data)));
