//! What can be wrong with a configuration, in words for its owner.

use std::path::PathBuf;

use super::MAX_FILE_BYTES;

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: can't be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is too large to be a configuration.
    #[error("{}: has {found} bytes; a configuration has at most {MAX_FILE_BYTES}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        found: u64,
    },
    /// The file is not JSON, or names a field twice.
    #[error("{}: {source}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What and where, by line and column.
        source: serde_json::Error,
    },
    /// A number is out of bounds.
    #[error("config: {field} must be between {min} and {max}, found {found}")]
    OutOfRange {
        /// The field's full name.
        field: &'static str,
        /// The value found.
        found: String,
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A value is of another kind than the field takes.
    #[error("config: {field} must be {expected}, found {found}")]
    WrongType {
        /// The field's full name.
        field: String,
        /// What it takes.
        expected: String,
        /// The kind of value found, or the number.
        found: String,
    },
    /// A text is too long or too short.
    #[error("config: {field} must have {min_bytes} to {max_bytes} bytes, found {found}")]
    TextLength {
        /// The field's full name.
        field: &'static str,
        /// Its length in bytes.
        found: u64,
        /// The fewest allowed.
        min_bytes: u64,
        /// The most allowed.
        max_bytes: u64,
    },
    /// The relay is no address of a peer.
    #[error(
        "config: p2p.relay must be like /ip4/203.0.113.7/tcp/4001/p2p/12D3KooW…, found {found:?}: {reason}"
    )]
    Relay {
        /// What was found.
        found: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value is of the right kind and can't be used all the same.
    #[error("config: {field} {problem}")]
    Unfit {
        /// The field's full name.
        field: &'static str,
        /// What it must be, and what it is.
        problem: String,
    },
    /// A path in it is not Unicode, which JSON can't hold.
    #[error("config: can't be written as JSON: {source}")]
    Unwritable {
        /// What can't be written.
        source: serde_json::Error,
    },
    /// A path leads out of the peer folder.
    #[error("config: {field} must be a relative path inside the peer folder, found {found:?}")]
    OutsidePeerFolder {
        /// The field's full name.
        field: &'static str,
        /// The path found.
        found: PathBuf,
    },
}

impl ConfigError {
    /// The full name of the field that is wrong; `None` when the whole file is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::OutOfRange { field, .. }
            | Self::TextLength { field, .. }
            | Self::Unfit { field, .. }
            | Self::OutsidePeerFolder { field, .. } => Some(field),
            Self::Relay { .. } => Some("p2p.relay"),
            Self::WrongType { field, .. } => Some(field),
            Self::Read { .. } | Self::TooLarge { .. } | Self::Parse { .. } | Self::Unwritable { .. } => None,
        }
    }
}
