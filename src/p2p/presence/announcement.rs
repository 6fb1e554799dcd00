//! One presence message: JSON on the GossipSub topic.
//!
//! `{"type": "online"|"update"|"offline", "peerId", "content" (the label), "email"?, "addrs"?,
//! "ts" (Unix milliseconds)}`; deployed peers add fields about avatars and templates, which are
//! read over. The addresses that a peer announces are not kept: this peer never dials where a
//! stranger tells it to.

use serde::{Deserialize, Serialize};

use crate::config::is_email;

/// The longest announcement that is read, in bytes: a label, an e-mail and some dozen addresses.
pub(super) const MAX_ANNOUNCEMENT_BYTES: usize = 4 * 1024;

/// The longest label that is kept, in bytes, as `profile.label` has it; the rest is cut off.
pub const MAX_PRESENCE_LABEL_BYTES: usize = 200;

/// The longest e-mail address that is kept, in bytes. A longer one is no address.
pub const MAX_EMAIL_BYTES: usize = crate::config::MAX_EMAIL_BYTES;

/// What an announcement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::p2p) enum Kind {
    /// The peer is here.
    Online,
    /// The peer is here, and something about it may have changed.
    Update,
    /// The peer goes.
    Offline,
}

/// One presence message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::p2p) struct Announcement {
    #[serde(rename = "type")]
    pub(in crate::p2p) kind: Kind,
    pub(in crate::p2p) peer_id: String,
    /// The label.
    #[serde(default)]
    pub(in crate::p2p) content: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::p2p) email: String,
    /// Where the peer listens: written for deployed peers, and never read.
    #[serde(default, skip_serializing_if = "Vec::is_empty", skip_deserializing)]
    pub(in crate::p2p) addrs: Vec<String>,
    #[serde(default)]
    pub(in crate::p2p) ts: i64,
}

impl Announcement {
    /// Reads the message in `bytes`, with label and e-mail in the form in which they are kept;
    /// `None` when it is too long or not of the right shape.
    pub(in crate::p2p) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_ANNOUNCEMENT_BYTES {
            return None;
        }
        let mut read: Self = serde_json::from_slice(bytes).ok()?;
        read.content = clean(&read.content, MAX_PRESENCE_LABEL_BYTES);
        if !is_email(&read.email) {
            read.email.clear();
        }
        Some(read)
    }

    /// The message as bytes.
    pub(in crate::p2p) fn encode(&self) -> Vec<u8> {
        // A struct of strings and a number always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// One line of at most `limit` bytes: labels are shown in terminals and given to scripts.
fn clean(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for c in text.trim().chars() {
        if line.len() + c.len_utf8() > limit {
            break;
        }
        line.push(if c.is_control() { ' ' } else { c });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployed_peers_message_is_read() {
        let read = Announcement::decode(
            br#"{"type":"update","peerId":"12D3KooWx","content":"Ada's peer","email":"ada@example.org",
                "avatarHash":"abc","videoDisabled":true,"activeTemplate":"","addrs":["/ip4/10.0.0.1/tcp/1"],"ts":17}"#,
        )
        .unwrap();
        assert_eq!((read.kind, read.peer_id.as_str(), read.ts), (Kind::Update, "12D3KooWx", 17));
        assert_eq!((read.content.as_str(), read.email.as_str()), ("Ada's peer", "ada@example.org"));
        assert!(read.addrs.is_empty(), "announced addresses are not kept");
    }

    #[test]
    fn what_is_kept_is_one_short_line() {
        let message = |content: &str, email: &str| {
            let text =
                serde_json::json!({"type": "online", "peerId": "x", "content": content, "email": email});
            Announcement::decode(text.to_string().as_bytes()).unwrap()
        };
        assert_eq!(message("a\u{1b}[2J\nb", "").content, "a [2J b");
        assert_eq!(message(&"é".repeat(300), "").content.len(), MAX_PRESENCE_LABEL_BYTES);
        assert_eq!(message("", "a b@c").email, "");
        assert_eq!(message("", &format!("{}@c", "a".repeat(300))).email, "");
        assert_eq!(message("", "not an address").email, "");
    }

    #[test]
    fn other_shapes_are_refused() {
        let long = format!(r#"{{"type":"online","peerId":"x","content":"{}"}}"#, "a".repeat(5000));
        for text in ["", "{}", "[]", r#"{"type":"here","peerId":"x"}"#, r#"{"type":"online"}"#, &long] {
            assert_eq!(Announcement::decode(text.as_bytes()), None, "{text:.60}");
        }
    }
}
