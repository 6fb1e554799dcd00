//! The name of a peer: the base58 form of its libp2p identity.
//!
//! The engine must know who calls without linking libp2p, so this is a checked string and not
//! libp2p's own type; `p2p` converts between the two at the edge.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest accepted peer id in characters. An Ed25519 id has 52, an RSA id 46.
pub const MAX_PEER_ID_CHARS: usize = 128;

/// A peer's id as shown to people, e.g. `12D3KooW…`: 1 to 128 base58 characters.
///
/// Cloning is cheap. The characters are checked once, by [`PeerId::parse`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeerId(Arc<str>);

impl PeerId {
    /// Checks that `text` can be a peer id.
    ///
    /// # Errors
    /// When it is empty, longer than [`MAX_PEER_ID_CHARS`], or holds a character outside base58.
    pub fn parse(text: &str) -> Result<Self, PeerIdError> {
        if text.is_empty() {
            return Err(PeerIdError::Empty);
        }
        if text.len() > MAX_PEER_ID_CHARS {
            return Err(PeerIdError::TooLong { found: text.len() });
        }
        match text.chars().find(|c| !is_base58(*c)) {
            Some(found) => Err(PeerIdError::NotBase58 { found }),
            None => Ok(Self(text.into())),
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_base58(c: char) -> bool {
    c.is_ascii_alphanumeric() && !matches!(c, '0' | 'O' | 'I' | 'l')
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({})", self.0)
    }
}

impl TryFrom<String> for PeerId {
    type Error = PeerIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PeerId> for String {
    fn from(id: PeerId) -> Self {
        id.0.as_ref().to_owned()
    }
}

/// Why a text is not a peer id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerIdError {
    /// The text is empty.
    #[error("a peer id can't be empty")]
    Empty,
    /// The text is too long.
    #[error("a peer id has at most {MAX_PEER_ID_CHARS} characters, found {found}")]
    TooLong {
        /// Its length in bytes.
        found: usize,
    },
    /// A character that base58 does not have.
    #[error("a peer id is written in base58, found {found:?}")]
    NotBase58 {
        /// The first such character.
        found: char,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_libp2p_prints_and_nothing_else() {
        assert!(PeerId::parse("12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp").is_ok());
        assert_eq!(PeerId::parse(""), Err(PeerIdError::Empty));
        assert_eq!(PeerId::parse("abc0"), Err(PeerIdError::NotBase58 { found: '0' }));
        assert_eq!(PeerId::parse("../etc"), Err(PeerIdError::NotBase58 { found: '.' }));
        assert_eq!(PeerId::parse(&"1".repeat(129)), Err(PeerIdError::TooLong { found: 129 }));
    }
}
