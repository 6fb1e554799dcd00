//! One running peer for a folder.
//!
//! Two with the same key would take each other's connections in the mesh, and each would show its
//! owner half of the chat. So a peer that runs holds a lock on an empty file, which the system lets
//! go of however the program ends. The file stays: one that is removed and made anew would let two
//! programs each hold a lock of that name. Only running is exclusive: scripts' keys, the
//! configuration and offline runs of scripts go on beside it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::PeerError;

/// Where the lock file is in a peer folder, beside the other files of a running peer.
const FOLDER: &str = "data";
const FILE: &str = "peer.lock";

/// Keeps other programs from running the peer of a folder, until it is dropped.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of the peer folder `dir`, or says that another program has it.
    pub(super) fn take(dir: &Path) -> Result<Self, PeerError> {
        let failed = |source| PeerError::Lock { dir: dir.to_owned(), source };
        let file = open(&dir.join(FOLDER)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PeerError::Running { dir: dir.to_owned() }),
            // Some network folders have no locks. A peer runs there nevertheless, as it always did.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!(dir = %dir.display(), "this folder can't be locked; run its peer only once");
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Self { _file: file })
    }
}

fn open(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(folder.join(FILE))
}
