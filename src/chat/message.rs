//! The JSON object of `/goop/chat/1.0.0`.
//!
//! Fields unknown to us are ignored, so that a newer peer can be talked to; a known field of the
//! wrong type is an error, because guessing what a stranger meant is how checks are evaded.

use serde::{Deserialize, Deserializer, Serialize};

use crate::peer_id::PeerId;

/// The largest message on the wire in bytes, as deployed peers have it.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// The longest message id in bytes. Ids are remembered to drop repeats, so they must be small;
/// deployed peers use a UUID of 36.
pub const MAX_ID_BYTES: usize = 128;

/// How much of the JSON reader's words is kept. It quotes what it can't use, whole.
const MAX_REASON_CHARS: usize = 200;

/// One chat message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Unique among the sender's messages. At most [`MAX_ID_BYTES`].
    pub id: String,
    /// The sender. On a received message, equal to the peer that the transport authenticated.
    pub from: PeerId,
    /// The recipient's id; empty for a broadcast.
    #[serde(default, deserialize_with = "null_as_default")]
    pub to: String,
    /// Whom it is for.
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// The text.
    pub content: String,
    /// Unix milliseconds, by the sender's clock unless that was left out.
    #[serde(default, deserialize_with = "null_as_default")]
    pub timestamp: i64,
    /// The site that a message of kind [`MessageKind::Site`] is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_id: Option<String>,
}

/// Reads a field that may be left out; `null` says the same, as it does to deployed peers.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// One peer. Only these can be commands.
    Direct,
    /// Everyone.
    Broadcast,
    /// The visitors of a site.
    Site,
}

/// Why bytes are not an acceptable message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// There are too many bytes.
    #[error("a chat message has at most {MAX_MESSAGE_BYTES} bytes, found {found}")]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// The bytes are not the JSON object of a message.
    #[error("a chat message must be a JSON object with id, from, type and content: {reason}")]
    Malformed {
        /// What is wrong with them, at most 200 characters: it may quote the stranger.
        reason: String,
    },
    /// The id is empty or too long.
    #[error("a message id has 1 to {MAX_ID_BYTES} bytes, found {found}")]
    Id {
        /// Its length in bytes.
        found: usize,
    },
    /// The message names another sender than the peer it came from.
    #[error("the message claims to be from {claimed}, but came from {remote}")]
    ForgedSender {
        /// The sender it names.
        claimed: PeerId,
        /// The authenticated peer.
        remote: PeerId,
    },
}

impl From<serde_json::Error> for MessageError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { reason: error.to_string().chars().take(MAX_REASON_CHARS).collect() }
    }
}

impl Message {
    /// Reads a message from the wire and checks it against the authenticated sender. `now_ms` is
    /// the receiver's clock in Unix milliseconds, for a message without a time.
    ///
    /// # Errors
    /// When the bytes are over [`MAX_MESSAGE_BYTES`], are not a message, or name another sender.
    pub fn decode(bytes: &[u8], remote: &PeerId, now_ms: i64) -> Result<Self, MessageError> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(MessageError::TooLong { found: bytes.len() });
        }
        let mut message: Self = serde_json::from_slice(bytes)?;
        if message.from != *remote {
            return Err(MessageError::ForgedSender { claimed: message.from, remote: remote.clone() });
        }
        if message.id.is_empty() || message.id.len() > MAX_ID_BYTES {
            return Err(MessageError::Id { found: message.id.len() });
        }
        if message.timestamp == 0 {
            message.timestamp = now_ms;
        }
        Ok(message)
    }

    /// The message for the wire: one line of JSON with its newline.
    ///
    /// # Errors
    /// When it would be over [`MAX_MESSAGE_BYTES`].
    pub fn encode(&self) -> Result<Vec<u8>, MessageError> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(MessageError::TooLong { found: bytes.len() });
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> PeerId {
        PeerId::parse(text).unwrap()
    }

    #[test]
    fn the_wire_form_is_that_of_deployed_peers() {
        let mut message = Message {
            id: "m1".into(),
            from: peer("Anna"),
            to: "Bob".into(),
            kind: MessageKind::Direct,
            content: "hé \"you\"".into(),
            timestamp: 1_700_000_000_000,
            site_id: None,
        };
        let line = "{\"id\":\"m1\",\"from\":\"Anna\",\"to\":\"Bob\",\"type\":\"direct\",\
                    \"content\":\"hé \\\"you\\\"\",\"timestamp\":1700000000000}\n";
        assert_eq!(String::from_utf8(message.encode().unwrap()).unwrap(), line);
        message.kind = MessageKind::Site;
        message.site_id = Some("s".into());
        assert!(String::from_utf8(message.encode().unwrap()).unwrap().contains("\"type\":\"site\""));
        assert_eq!(Message::decode(&message.encode().unwrap(), &peer("Anna"), 5).unwrap(), message);
    }

    #[test]
    fn a_missing_or_zero_time_is_the_receivers_and_unknown_fields_do_not_matter() {
        for text in [
            r#"{"id":"1","from":"A","type":"broadcast","content":""}"#,
            r#"{"id":"1","from":"A","to":"","type":"broadcast","content":"","timestamp":0,"mood":[1]}"#,
            r#"{"id":"1","from":"A","to":null,"type":"site","content":"","timestamp":null,"site_id":null}"#,
        ] {
            assert_eq!(Message::decode(text.as_bytes(), &peer("A"), 42).unwrap().timestamp, 42, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_message_from_that_peer_is_refused_with_the_reason() {
        let long_id = format!(r#"{{"id":"{}","from":"A","type":"direct","content":""}}"#, "i".repeat(129));
        let long = " ".repeat(MAX_MESSAGE_BYTES + 1);
        for (text, reason) in [
            ("", "must be a JSON object"),
            ("[]", "must be a JSON object"),
            (r#"{"id":"1","from":"A","type":"shout","content":""}"#, "shout"),
            (r#"{"id":"1","from":"A","type":"direct","content":7}"#, "invalid type: integer"),
            (r#"{"id":"1","from":"../A","type":"direct","content":""}"#, "base58"),
            (r#"{"id":"1","from":"B","type":"direct","content":""}"#, "claims to be from B, but came from A"),
            (r#"{"id":"","from":"A","type":"direct","content":""}"#, "found 0"),
            (long_id.as_str(), "found 129"),
            (long.as_str(), "found 1048577"),
        ] {
            let error = Message::decode(text.as_bytes(), &peer("A"), 1).unwrap_err().to_string();
            assert!(error.contains(reason), "{error} should contain {reason}");
        }
    }
}
