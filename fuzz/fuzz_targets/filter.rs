//! Any text as a visitor's `where`: their own rows or a reason, never another peer's row.
#![no_main]

libfuzzer_sys::fuzz_target!(|filter: &str| goop2_fuzz::peer::data::check_filter(filter));
