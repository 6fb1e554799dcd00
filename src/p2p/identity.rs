//! The peer's key file, and the two forms of a peer id.
//!
//! The file is libp2p's protobuf encoding of a private key, as deployed peers write it, so an
//! owner keeps their id whichever implementation they run. It is created through a temporary file
//! and never replaced: a file that is not a key is the owner's to look at, and writing over it
//! would destroy an identity.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use libp2p::identity::{DecodingError, Keypair};

use crate::peer_id::{PeerId, PeerIdError};

/// The largest key file that is read, in bytes. An Ed25519 key has 68; an RSA key, which is then
/// refused by name, some 2400.
const MAX_KEY_FILE_BYTES: u64 = 16 * 1024;

/// Why the peer has no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file can't be read.
    #[error("{}: the identity key can't be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file can't be created.
    #[error("{}: the identity key can't be created: {source}", .path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is there and is something else.
    #[error("{}: is not a libp2p Ed25519 private key: {reason}; it was left as it is. \
             Restore it from a backup, or move it away to get a new identity", .path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads the key at `path`, or creates an Ed25519 key there (mode 0600, with its folder).
/// Blocking, but short: two small file operations.
///
/// # Errors
/// When the file can't be read or created, or is not an Ed25519 key; it is never overwritten.
pub fn load_or_create(path: &Path) -> Result<Keypair, IdentityError> {
    if let Some(keypair) = load(path)? {
        return Ok(keypair);
    }
    let created = create(path).map_err(|source| IdentityError::Create { path: path.to_owned(), source })?;
    match created {
        Some(keypair) => Ok(keypair),
        // Another process was first: its key is the peer's.
        None => load(path)?.ok_or_else(|| IdentityError::Read {
            path: path.to_owned(),
            source: io::ErrorKind::NotFound.into(),
        }),
    }
}

fn load(path: &Path) -> Result<Option<Keypair>, IdentityError> {
    let failed = |source| IdentityError::Read { path: path.to_owned(), source };
    let not_a_key = |reason: String| IdentityError::NotAKey { path: path.to_owned(), reason };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_KEY_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_KEY_FILE_BYTES {
        return Err(not_a_key(format!("it is longer than {MAX_KEY_FILE_BYTES} bytes")));
    }
    let decoded = Keypair::from_protobuf_encoding(&bytes);
    decoded.map(Some).map_err(|error: DecodingError| not_a_key(format!("{} bytes, {error}", bytes.len())))
}

/// Writes a new key; `None` when the file appeared meanwhile.
fn create(path: &Path) -> io::Result<Option<Keypair>> {
    let keypair = Keypair::generate_ed25519();
    let bytes = keypair.to_protobuf_encoding().map_err(io::Error::other)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    // A temporary file is readable by its owner only, and stays so when it gets its name.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&bytes)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(Some(keypair)),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error.error),
    }
}

/// The id of the peer that owns `keypair`.
///
/// # Errors
/// As [`to_peer_id`].
pub fn own_id(keypair: &Keypair) -> Result<PeerId, PeerIdError> {
    to_peer_id(&keypair.public().to_peer_id())
}

/// libp2p's id in the form that the rest of the peer uses.
///
/// # Errors
/// When it is too long, which no id of a key that libp2p knows is.
pub fn to_peer_id(id: &libp2p::PeerId) -> Result<PeerId, PeerIdError> {
    PeerId::parse(&id.to_base58())
}

/// The id in libp2p's form; `None` for base58 that is not a hash of a key.
pub fn to_libp2p(id: &PeerId) -> Option<libp2p::PeerId> {
    id.as_str().parse().ok()
}
