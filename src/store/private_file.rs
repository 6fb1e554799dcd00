//! Files that only their owner may read: they hold what visitors wrote and who they are.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// Makes an empty file, and the folder it is in, if it is not there. SQLite gives its own files beside it
/// the same mode. The mode of a file that is there is its owner's choice.
pub(super) fn create(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
