//! The file of one script's store: read whole, replaced whole, never changed in place.
//!
//! A new file is written beside the old one, synced, and renamed over it, so there is one whole
//! file at every moment, and after a crash at any. Changing the file in place, or appending to a
//! log, was rejected: both need a recovery, and an owner who opens the file would see half of it.
//!
//! Whether the file is still the one that was read is told by its time, size and inode, and no file is
//! held open for it: a peer has a thousand scripts and may have fewer file handles. The inode of a file
//! that is gone can be given to a new one, and the clock ticks slowly, so each new version is given a
//! time that is later than the last one's.
//!
//! A link is followed, in writing too: the file it leads to is replaced, and its lock lies beside it. One that
//! leads nowhere is an error, and no empty store: a new file in its place would hide what is only away.
//!
//! Writers of other processes (the owner's `goop2 kv`) are kept apart by a lock file beside the
//! store, `<script>.lock`. It is empty and stays for good: a process that removed it could remove
//! the file on which another has just got its lock, and a third would lock a new file of that name.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value as Json;

use super::kv_store::KvError;

/// The keys and values of a script.
pub(super) type Entries = BTreeMap<String, String>;

/// The longest file read: every byte escaped six times, with quotes and commas, and some air.
const MAX_FILE_BYTES: u64 = 512 * 1024;

/// What Windows editors put before UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

/// A file that was replaced.
pub(super) struct Replaced {
    /// The new file.
    pub(super) version: Version,
    /// Whether its name is safe. When it is not, everybody reads the new file all the same, and a power
    /// cut may bring back the old one.
    pub(super) name_synced: io::Result<()>,
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
        Ok(version == self.metadata()?.as_ref().map(Version::of).as_ref())
    }

    /// What the system knows of the file, where its name leads; `None` is no file.
    fn metadata(&self) -> Result<Option<fs::Metadata>, KvError> {
        match fs::metadata(&self.path) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(KvError::Read(error)),
            Err(_) if self.is_link() => Err(KvError::LeadsNowhere),
            Err(_) => Ok(None),
        }
    }

    fn is_link(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.is_symlink())
    }

    /// Waits for the lock, for `longest`, and not at all when that is zero. The folder has to be there.
    pub(super) fn lock(&self, longest: Duration) -> Result<FileLock, KvError> {
        let failed = |source| KvError::Write { step: "the lock", source };
        let path = self.place()?.with_extension("lock");
        match fs::metadata(&path) {
            // To open a pipe would wait for its other end.
            Ok(metadata) if !metadata.is_file() => return Err(failed(no_plain_file())),
            _ => {}
        }
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
        // Looked at before it is opened: to open a pipe would wait for its other end.
        let Some(metadata) = self.metadata()? else {
            return Ok(Content::Entries(Entries::new(), None));
        };
        if !metadata.is_file() {
            return Err(KvError::Read(no_plain_file()));
        }
        let file = match File::open(&self.path) {
            Ok(file) => file,
            // Deleted just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Content::Entries(Entries::new(), None));
            }
            Err(error) => return Err(KvError::Read(error)),
        };
        // Asked before the content: a change in between is read again, and not missed.
        let version = Version::of(&file.metadata().map_err(KvError::Read)?);
        let mut text = Vec::new();
        (&file).take(MAX_FILE_BYTES + 1).read_to_end(&mut text).map_err(KvError::Read)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Ok(Content::Broken(format!("it has more than {MAX_FILE_BYTES} bytes")));
        }
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        Ok(match serde_json::from_slice(text) {
            Ok(entries) => Content::Entries(entries, Some(version)),
            Err(_) => Content::Broken(problem_of(text)),
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

    /// Replaces the file. Returns when the new one is safe, but for what is said of its name; after an
    /// error the file is the old one. The lock is to be held.
    pub(super) fn replace(&self, _lock: &FileLock, entries: &Entries) -> Result<Replaced, KvError> {
        let step = |step| move |source| KvError::Write { step, source };
        let mut text =
            serde_json::to_vec_pretty(entries).map_err(|error| step("the JSON text")(error.into()))?;
        text.push(b'\n');
        // One name, which belongs to who has the lock: what a killed process left is cleared away.
        let place = self.place()?;
        let new = place.with_extension("new");
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(step("the new file")(error));
        }
        let mut file = self.disk.create(&new).map_err(step("the new file"))?;
        self.disk.write(&mut file, &text).map_err(step("writing"))?;
        if let Ok(old) = fs::metadata(&place) {
            date_after(&file, &old).map_err(step("the new file"))?;
        }
        self.disk.sync(&file).map_err(step("the sync"))?;
        let version = Version::of(&file.metadata().map_err(step("the new file"))?);
        self.disk.rename(&new, &place).map_err(step("the renaming"))?;
        let name_synced = self.disk.sync_folder(place.parent().unwrap_or(Path::new(".")));
        Ok(Replaced { version, name_synced })
    }

    /// The store's files that were set aside, by name.
    pub(super) fn set_aside_files(&self) -> io::Result<Vec<PathBuf>> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let prefix = format!("{stem}.corrupt-");
        let is_aside = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&prefix))
        };
        let entries = match fs::read_dir(self.folder()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let paths: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.path())).collect();
        let mut files: Vec<_> = paths?.into_iter().filter(is_aside).collect();
        files.sort();
        Ok(files)
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

    /// Where the file itself lies, which is elsewhere when the store's name is a link.
    fn place(&self) -> Result<PathBuf, KvError> {
        if self.is_link() {
            return self.path.canonicalize().map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => KvError::LeadsNowhere,
                _ => KvError::Read(error),
            });
        }
        Ok(self.path.clone())
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }
}

impl Version {
    fn of(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { modified: metadata.modified().ok(), bytes: metadata.len(), inode }
    }
}

/// Gives `new` a time after that of `old`, if it has none: by as little as the file system can tell apart.
fn date_after(new: &File, old: &fs::Metadata) -> io::Result<()> {
    const STEPS: [Duration; 5] = [
        Duration::from_nanos(1),
        Duration::from_micros(1),
        Duration::from_millis(1),
        Duration::from_secs(1),
        Duration::from_secs(2),
    ];
    let Ok(old) = old.modified() else { return Ok(()) };
    for step in STEPS {
        if new.metadata()?.modified()? > old {
            break;
        }
        // A time so far ahead that there is none after it is nobody's.
        let Some(later) = old.checked_add(step) else { break };
        new.set_modified(later)?;
    }
    Ok(())
}

fn no_plain_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file")
}

/// Why a text is no store. Values are not shown: they may be secrets.
fn problem_of(text: &[u8]) -> String {
    let entries = match serde_json::from_slice(text) {
        Ok(Json::Object(entries)) => entries,
        Ok(other) => return format!("it holds {}", kind_of(&other)),
        Err(error) => return error.to_string(),
    };
    match entries.iter().find(|(_, value)| !value.is_string()) {
        Some((key, value)) => format!("the value of {key:?} is {} and not a string", kind_of(value)),
        None => "it is none".to_owned(),
    }
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
