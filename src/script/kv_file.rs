//! The file of one script's store: read whole, replaced whole, never changed in place.
//!
//! A new file is written beside the old one, synced, and renamed over it, so there is one whole
//! file at every moment, and after a crash at any. Changing the file in place, or appending to a
//! log, was rejected: both need a recovery, and an owner who opens the file would see half of it.
//!
//! Writers of other processes (the owner's `goop2 kv`) are kept apart by a lock file beside the
//! store, `<script>.lock`. It is empty and stays for good: a process that removed it could remove
//! the file on which another has just got its lock, and a third would lock a new file of that name.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::kv_store::KvError;

/// The keys and values of a script.
pub(super) type Entries = BTreeMap<String, String>;

/// The longest file read: every byte escaped six times, with quotes and commas, and some air.
const MAX_FILE_BYTES: u64 = 512 * 1024;

/// How long to wait between two tries to get the lock.
const LOCK_RETRY: Duration = Duration::from_millis(2);

/// What replacing a file needs of a disk. Tests have one that fails at every place in turn.
pub(super) trait Disk: Send + Sync {
    /// Makes the folder and those above it, where they are missing.
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    /// Makes an empty file that only its owner may read: stores hold API keys.
    fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    }

    /// Writes all of `bytes`.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Returns when the file's content is safe.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Gives a file another name, in place of the file that had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Returns when the names in a folder are safe. Only Unix can sync a folder.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }
}

/// The disk of this machine.
pub(super) struct RealDisk;

impl Disk for RealDisk {}

/// One script's file, by its path.
pub(super) struct KvFile {
    path: PathBuf,
    disk: Box<dyn Disk>,
}

/// Tells one version of the file from the next.
#[derive(Debug)]
pub(super) struct Version {
    stamp: Stamp,
    /// Kept open, because the inode of a file that nobody has can be given to a new one: two
    /// changes within one tick of the clock could look like none.
    _held: Option<File>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

/// Keeps other processes from writing until it is dropped.
pub(super) struct FileLock {
    _file: File,
}

/// What a store's file holds.
enum Content {
    Entries(Entries, Option<Version>),
    /// Not a store, and why.
    Broken(String),
}

impl KvFile {
    pub(super) fn new(path: PathBuf, disk: Box<dyn Disk>) -> Self {
        Self { path, disk }
    }

    /// Whether the file is still the one that was read as `version`; `None` is no file.
    pub(super) fn is_still(&self, version: Option<&Version>) -> Result<bool, KvError> {
        let stamp = match fs::metadata(&self.path) {
            Ok(metadata) => Some(Stamp::of(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(KvError::Read(error)),
        };
        // Without inodes two changes within a tick of the clock look alike.
        Ok(stamp == version.map(|version| version.stamp) && (cfg!(unix) || stamp.is_none()))
    }

    /// Waits for the lock, for `longest`. The folder has to be there.
    pub(super) fn lock(&self, longest: Duration) -> Result<FileLock, KvError> {
        let failed = |source| KvError::Write { step: "the lock", source };
        let path = self.path.with_extension("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(FileLock { _file: file }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= longest => {
                    return Err(KvError::Locked { waited: longest });
                }
                // The system's own waiting has no end.
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_RETRY),
            }
        }
    }

    /// Reads the file; no file is an empty store. One that is no store is set aside under another
    /// name, with a warning: with `lock` held, or else got within `longest`.
    pub(super) fn read_or_set_aside(
        &self,
        lock: Option<&FileLock>,
        longest: Duration,
    ) -> Result<(Entries, Option<Version>), KvError> {
        if let Content::Entries(entries, version) = self.read()? {
            return Ok((entries, version));
        }
        // Looked at again where nobody else can write: a whole file may have taken its place.
        let _own = match lock {
            Some(_) => None,
            None => Some(self.lock(longest)?),
        };
        match self.read()? {
            Content::Entries(entries, version) => Ok((entries, version)),
            Content::Broken(problem) => {
                self.set_aside(&problem)?;
                Ok((Entries::new(), None))
            }
        }
    }

    fn read(&self) -> Result<Content, KvError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Content::Entries(Entries::new(), None));
            }
            Err(error) => return Err(KvError::Read(error)),
        };
        // Asked before the content: a change in between is read again, and not missed.
        let stamp = Stamp::of(&file.metadata().map_err(KvError::Read)?);
        let mut text = Vec::new();
        (&file).take(MAX_FILE_BYTES + 1).read_to_end(&mut text).map_err(KvError::Read)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Ok(Content::Broken(format!("it has more than {MAX_FILE_BYTES} bytes")));
        }
        Ok(match serde_json::from_slice(&text) {
            Ok(entries) => Content::Entries(entries, Some(Version::new(stamp, file))),
            Err(error) => Content::Broken(error.to_string()),
        })
    }

    /// A file that is no store is kept under another name for its owner to look at.
    fn set_aside(&self, problem: &str) -> Result<(), KvError> {
        let failed = |source| KvError::Write { step: "setting a broken file aside", source };
        let seconds =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let names = (0..).map(|n| self.path.with_extension(format!("corrupt-{seconds}-{n}")));
        let Some(aside) = names.take(1_000).find(|name| !name.exists()) else {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        };
        self.disk.rename(&self.path, &aside).map_err(failed)?;
        tracing::warn!(
            file = %self.path.display(),
            kept_as = %aside.display(),
            "goop.kv: the file is no JSON object of strings ({problem}); it was set aside"
        );
        Ok(())
    }

    /// Replaces the file. Returns when the new one is safe; after an error the file is the old
    /// one, or the new one that may not be safe yet. The lock is to be held.
    pub(super) fn replace(&self, _lock: &FileLock, entries: &Entries) -> Result<Version, KvError> {
        let step = |step| move |source| KvError::Write { step, source };
        let mut text =
            serde_json::to_vec_pretty(entries).map_err(|error| step("the JSON text")(error.into()))?;
        text.push(b'\n');
        // One name, which belongs to who has the lock: what a killed process left is cleared away.
        let new = self.path.with_extension("new");
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(step("the new file")(error));
        }
        let mut file = self.disk.create(&new).map_err(step("the new file"))?;
        self.disk.write(&mut file, &text).map_err(step("writing"))?;
        self.disk.sync(&file).map_err(step("the sync"))?;
        let stamp = Stamp::of(&file.metadata().map_err(step("the new file"))?);
        self.disk.rename(&new, &self.path).map_err(step("the renaming"))?;
        self.disk.sync_folder(self.folder()).map_err(step("the sync of the folder"))?;
        Ok(Version::new(stamp, file))
    }

    /// Makes the folder of the stores if there is none, so that it survives a power cut too.
    pub(super) fn ensure_folder(&self) -> Result<(), KvError> {
        let failed = |source| KvError::Write { step: "the folder", source };
        let folder = self.folder();
        if folder.is_dir() {
            return Ok(());
        }
        self.disk.create_folder(folder).map_err(failed)?;
        folder.parent().map_or(Ok(()), |above| self.disk.sync_folder(above)).map_err(failed)
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }
}

impl Version {
    fn new(stamp: Stamp, file: File) -> Self {
        // Elsewhere there are no inodes here, and an open file may not be replaced.
        Self { stamp, _held: cfg!(unix).then_some(file) }
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { modified: metadata.modified().ok(), bytes: metadata.len(), inode }
    }
}
