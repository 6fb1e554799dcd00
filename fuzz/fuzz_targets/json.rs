//! JSON comes out of a script as it went in: as text, and as a document made of the same bytes.
#![no_main]

use goop2_fuzz::json;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        json::check_text(text);
    }
    json::check_document(json::document(data));
});
