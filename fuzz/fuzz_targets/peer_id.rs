//! A peer id is whatever a stranger sent: parsing never panics, and what it accepts is safe to use as a
//! file name, in a log line and in SQL, and reads back as itself.
#![no_main]

use goop2::peer_id::{MAX_PEER_ID_CHARS, PeerId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(id) = PeerId::parse(text) {
        assert_eq!(id.as_str(), text);
        assert!((1..=MAX_PEER_ID_CHARS).contains(&text.len()));
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(PeerId::parse(&id.to_string()), Ok(id));
    }
});
