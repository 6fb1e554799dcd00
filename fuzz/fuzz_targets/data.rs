//! Any line as a visitor's request to the data protocol.
#![no_main]

libfuzzer_sys::fuzz_target!(|line: &[u8]| goop2_fuzz::peer::data::check_line(line));
