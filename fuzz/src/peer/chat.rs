//! Chat messages from the wire.

use goop2::chat::{MAX_ID_BYTES, Message};
use goop2::peer_id::PeerId;

/// Decodes `bytes` as a message of the peer `Ana`.
///
/// # Panics
/// When what is accepted is out of bounds, or another message once it was sent on.
pub fn check(bytes: &[u8]) {
    let ana = PeerId::parse("Ana").expect("a name");
    match Message::decode(bytes, &ana, 1_700_000_000_000) {
        Ok(message) => {
            assert_eq!(message.from, ana);
            assert!((1..=MAX_ID_BYTES).contains(&message.id.len()));
            assert_ne!(message.timestamp, 0);
            let line = message.encode().expect("what fits when it comes fits when it goes");
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
            assert_eq!(Message::decode(&line, &ana, 0).expect("our own message"), message);
        }
        Err(error) => {
            assert!(error.to_string().len() < 4_096, "an error of {} bytes", error.to_string().len())
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_message_passes() {
        super::check(br#"{"id":"1","from":"Ana","to":"Bob","type":"direct","content":"!help"}"#);
        super::check(b"{");
    }
}
