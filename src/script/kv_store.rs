//! The disk behind `goop.kv`: one JSON object of strings for each script.
//!
//! All invocations of a script share one [`KvStore`], so none can lose another's keys. Changes
//! are made in memory and written before the reply that depends on them leaves: a temporary
//! file, synced, renamed over the old one. The owner's `goop2 kv` is another process with the
//! same file: a lock file keeps two writers apart, and what the other wrote is read again before
//! it is used or replaced. A file that is no such object is set aside, never emptied.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::script::name::ScriptName;

/// The folder of the stores, below the script folder. Never served.
pub(crate) const STATE_DIR: &str = ".state";

/// The most keys of one script.
pub const MAX_KEYS: usize = 1_000;

/// The most bytes of one script: keys and values together.
pub const MAX_BYTES: usize = 64 * 1024;

/// The longest file read: every byte escaped six times, with quotes and commas, and some air.
const MAX_FILE_BYTES: u64 = 512 * 1024;

/// Why a store can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    /// The store would hold too many keys.
    #[error("the script would have {found} keys; the limit is {MAX_KEYS}")]
    TooManyKeys {
        /// How many it would be.
        found: usize,
    },
    /// The store would hold too many bytes.
    #[error(
        "the value would take this script's store to {} KB; the limit is {} KB",
        .found.div_ceil(1024),
        MAX_BYTES / 1024
    )]
    TooLarge {
        /// How many bytes it would be.
        found: usize,
    },
    /// The file can't be read or written.
    #[error("the store can't be used: {0}")]
    Io(#[from] io::Error),
}

/// The store of one script.
pub struct KvStore {
    path: PathBuf,
    state: Mutex<State>,
    /// Held while the file is written, so that two flushes do not race.
    writing: Mutex<()>,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<String, String>,
    /// Changes that are not on disk yet; `None` deletes.
    unwritten: BTreeMap<String, Option<String>>,
    /// The file that `entries` was read from, before those changes.
    read_from: Option<FileStamp>,
    loaded: bool,
}

/// Tells one version of the file from the next. A rename gives a new inode, so a change within
/// the clock's granularity is seen all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl KvStore {
    /// The store of the script `name` whose file lies below `script_dir`. Nothing is read yet.
    pub fn new(script_dir: &Path, name: &ScriptName) -> Self {
        let path = script_dir.join(STATE_DIR).join(format!("{name}.json"));
        Self { path, state: Mutex::default(), writing: Mutex::default() }
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        Ok(self.current()?.entries.get(key).cloned())
    }

    /// All keys and values.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn entries(&self) -> Result<BTreeMap<String, String>, KvError> {
        Ok(self.current()?.entries.clone())
    }

    /// Sets `key`; on disk after the next [`KvStore::flush`].
    ///
    /// # Errors
    /// When a limit would be passed, or the file can't be read.
    pub fn set(&self, key: &str, value: &str) -> Result<(), KvError> {
        let mut state = self.current()?;
        let replaced = state.entries.get(key).map_or(0, |old| key.len() + old.len());
        let keys = state.entries.len() + usize::from(!state.entries.contains_key(key));
        if keys > MAX_KEYS {
            return Err(KvError::TooManyKeys { found: keys });
        }
        let found = bytes(&state.entries) - replaced + key.len() + value.len();
        if found > MAX_BYTES {
            return Err(KvError::TooLarge { found });
        }
        state.entries.insert(key.to_owned(), value.to_owned());
        state.unwritten.insert(key.to_owned(), Some(value.to_owned()));
        Ok(())
    }

    /// Deletes `key`; on disk after the next [`KvStore::flush`]. Tells whether it was there.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn delete(&self, key: &str) -> Result<bool, KvError> {
        let mut state = self.current()?;
        let existed = state.entries.remove(key).is_some();
        if existed {
            state.unwritten.insert(key.to_owned(), None);
        }
        Ok(existed)
    }

    /// Writes what is not on disk yet. Returns when it is safe there.
    ///
    /// # Errors
    /// When the file can't be written; the changes stay and are tried again by the next flush.
    pub async fn flush(self: &Arc<Self>) -> Result<(), KvError> {
        if self.state.lock().unwritten.is_empty() && self.writing.try_lock().is_some() {
            return Ok(());
        }
        let store = self.clone();
        match tokio::task::spawn_blocking(move || store.flush_now()).await {
            Ok(result) => result,
            Err(error) => Err(KvError::Io(io::Error::other(error))),
        }
    }

    /// [`KvStore::flush`] for callers without a runtime. Blocks.
    ///
    /// # Errors
    /// As [`KvStore::flush`].
    pub fn flush_now(&self) -> Result<(), KvError> {
        let _writing = self.writing.lock();
        let dir = self.path.parent().unwrap_or(Path::new("."));
        if self.state.lock().unwritten.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(dir)?;
        let _lock = self.lock_file()?;
        // Both at one moment: a key that is changed between them and changed back would count as
        // written, and the file would have what it held in between.
        let (entries, changes) = {
            let mut state = self.state.lock();
            self.refresh(&mut state, FileLock::Held)?;
            (state.entries.clone(), state.unwritten.clone())
        };
        let stamp = write_durably(dir, &self.path, &entries)?;
        let mut state = self.state.lock();
        state.read_from = Some(stamp);
        state.unwritten.retain(|key, value| changes.get(key) != Some(value));
        Ok(())
    }

    fn current(&self) -> Result<parking_lot::MutexGuard<'_, State>, KvError> {
        let mut state = self.state.lock();
        self.refresh(&mut state, FileLock::Free)?;
        Ok(state)
    }

    /// Reads the file if it is not the one that was read last, and makes the unwritten changes
    /// to it anew.
    fn refresh(&self, state: &mut State, lock: FileLock) -> Result<(), KvError> {
        let stamp = stamp_of(&self.path)?;
        if state.loaded && stamp == state.read_from {
            return Ok(());
        }
        state.entries = self.read_or_set_aside(lock)?;
        for (key, value) in &state.unwritten {
            match value {
                Some(value) => state.entries.insert(key.clone(), value.clone()),
                None => state.entries.remove(key),
            };
        }
        state.read_from = stamp;
        state.loaded = true;
        Ok(())
    }

    /// Keeps other processes from writing until it is dropped.
    fn lock_file(&self) -> io::Result<File> {
        let lock = File::create(self.path.with_extension("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn read_or_set_aside(&self, lock: FileLock) -> Result<BTreeMap<String, String>, KvError> {
        if let Content::Entries(entries) = self.read()? {
            return Ok(entries);
        }
        // Looked at again where nobody else can write: a whole file may have taken its place.
        let _lock = match lock {
            FileLock::Held => None,
            FileLock::Free => Some(self.lock_file()?),
        };
        match self.read()? {
            Content::Entries(entries) => Ok(entries),
            Content::Broken(problem) => {
                self.set_aside(&problem)?;
                Ok(BTreeMap::new())
            }
        }
    }

    fn read(&self) -> io::Result<Content> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Content::Entries(BTreeMap::new()));
            }
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Ok(Content::Broken("it is too large".to_owned()));
        }
        Ok(match serde_json::from_slice(&text) {
            Ok(entries) => Content::Entries(entries),
            Err(error) => Content::Broken(error.to_string()),
        })
    }

    /// A file that is no store is kept under another name for its owner to look at.
    fn set_aside(&self, problem: &str) -> Result<(), KvError> {
        let seconds =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let names = (0..).map(|n| self.path.with_extension(format!("corrupt-{seconds}-{n}")));
        let Some(aside) = names.take(1_000).find(|name| !name.exists()) else {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
        };
        fs::rename(&self.path, &aside)?;
        tracing::warn!(
            file = %self.path.display(),
            kept_as = %aside.display(),
            "goop.kv: the file is no JSON object of strings ({problem}); it was set aside"
        );
        Ok(())
    }
}

/// Whether the caller holds the lock file already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FileLock {
    Held,
    Free,
}

/// What a store's file holds.
enum Content {
    Entries(BTreeMap<String, String>),
    /// Not a store, and why.
    Broken(String),
}

fn bytes(entries: &BTreeMap<String, String>) -> usize {
    entries.iter().map(|(key, value)| key.len() + value.len()).sum()
}

fn stamp_of(path: &Path) -> io::Result<Option<FileStamp>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(FileStamp {
            modified: metadata.modified().ok(),
            bytes: metadata.len(),
            inode: inode(&metadata),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

/// Writes a new file beside the old one, syncs it, and renames it over: at every moment there is
/// one whole file.
fn write_durably(dir: &Path, path: &Path, entries: &BTreeMap<String, String>) -> io::Result<FileStamp> {
    let mut file = tempfile::Builder::new().prefix(".kv-").tempfile_in(dir)?;
    serde_json::to_writer_pretty(&mut file, entries)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_dir(dir)?;
    stamp_of(path)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

/// A rename is on disk when its folder is. Only Unix can sync a folder.
#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(dir: &Path) -> KvStore {
        KvStore::new(dir, &ScriptName::parse("weather").unwrap())
    }

    #[test]
    fn what_was_flushed_survives_and_is_seen_by_another_process() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, theirs) = (store(dir.path()), store(dir.path()));
        ours.set("api_key", "abc").unwrap();
        assert_eq!(theirs.get("api_key").unwrap(), None, "not yet flushed");
        ours.flush_now().unwrap();
        assert_eq!(theirs.get("api_key").unwrap().as_deref(), Some("abc"));
        theirs.set("other", "x").unwrap();
        ours.set("mine", "y").unwrap();
        theirs.flush_now().unwrap();
        ours.flush_now().unwrap();
        let all: Vec<_> = store(dir.path()).entries().unwrap().into_keys().collect();
        assert_eq!(all, ["api_key", "mine", "other"], "neither writer lost the other's key");
        assert!(ours.delete("other").unwrap());
        ours.flush_now().unwrap();
        assert_eq!(theirs.get("other").unwrap(), None);
    }

    #[test]
    fn limits_are_kept_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let error = store.set("k", &"x".repeat(MAX_BYTES)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the value would take this script's store to 65 KB; the limit is 64 KB"
        );
        for n in 0..MAX_KEYS {
            store.set(&n.to_string(), "").unwrap();
        }
        assert!(matches!(store.set("one more", ""), Err(KvError::TooManyKeys { found: 1_001 })));
        store.set("0", "replacing is no new key").unwrap();
    }

    #[test]
    fn a_broken_file_is_set_aside_and_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join(STATE_DIR);
        fs::create_dir_all(&state).unwrap();
        fs::write(state.join("weather.json"), "{\"api_key\": \"abc\"").unwrap();
        assert_eq!(store(dir.path()).get("api_key").unwrap(), None);
        let names = fs::read_dir(&state).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let kept: Vec<_> = names.filter(|name| name.starts_with("weather.corrupt-")).collect();
        let [kept] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!(fs::read_to_string(state.join(kept)).unwrap(), "{\"api_key\": \"abc\"");
    }
}
