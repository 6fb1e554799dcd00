//! The store behind `goop.kv`: strings by key, one JSON file for each script.
//!
//! All invocations of a script share one [`KvStore`], so none can lose another's keys. Changes
//! are made in memory and are on disk before the reply that depends on them leaves, also when
//! another invocation made them: a [`KvSession`] notes what its invocation has seen. One write
//! serves everyone who waits for it. What the owner's `goop2 kv` wrote meanwhile is read again
//! before it is used or replaced, and joined key by key.
//!
//! A write that fails is undone in memory, for everyone who has seen it: the store is then what
//! the disk has. Keeping the changes for a later try was rejected: a script that was told "failed"
//! would find them done an hour later. Only when the new file has taken the old one's place and its name
//! can't be made safe ([`KvError::NotSafe`]) is the change kept, because everybody reads it already: then
//! nobody who has seen the store is answered before a later write has made the name safe.
//!
//! Sets of one invocation may reach the disk in several writes, when others wait for one at the
//! same time. Whole invocations as transactions would make a script wait for every other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{collections::BTreeMap, io};

use parking_lot::{Mutex, MutexGuard};

use crate::script::kv_file::{Disk, Entries, KvFile, RealDisk, Replaced, Version};
use crate::script::name::ScriptName;

/// The folder of the stores, below the script folder. Never served.
pub(crate) const STATE_DIR: &str = ".state";

/// The most keys of one script.
pub const MAX_KEYS: usize = 1_000;

/// The most bytes of one script: keys and values together.
pub const MAX_BYTES: usize = 64 * 1024;

/// How long a write waits for another process that is writing.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How long an invocation that reads a broken file waits to set it aside: not at all, because all
/// invocations of its worker would wait with it.
const LOCK_WAIT_OF_SESSIONS: Duration = Duration::ZERO;

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
    /// The file can't be read.
    #[error("the store can't be read: {0}")]
    Read(#[source] io::Error),
    /// The file's name is a link to what is not there: whatever is stored is elsewhere, and may come back.
    #[error("the store is a link that leads nowhere; make the file it leads to or delete the link")]
    LeadsNowhere,
    /// The file can't be written.
    #[error("the store can't be written ({step} failed): {source}; {}", remedy(source))]
    Write {
        /// Which step of writing failed.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file is written, and its name in the folder may not survive a power cut.
    #[error(
        "the change is in the store, but a power cut may undo it (the sync of the folder failed): {source}; {}",
        remedy(source)
    )]
    NotSafe {
        /// What the system said.
        source: io::Error,
    },
    /// Another process holds the store's lock.
    #[error("another process is writing the store, waited for {} s; is a goop2 stuck?", .waited.as_secs_f64())]
    Locked {
        /// How long this one waited.
        waited: Duration,
    },
    /// A write of another invocation failed, and took back what this one has seen.
    #[error("a change that was made meanwhile could not be written and was taken back; try again")]
    TakenBack,
}

/// What the owner can do about a write that failed.
fn remedy(error: &io::Error) -> &'static str {
    /// What Unix says when this process, and when all of them, have too many files open.
    const TOO_MANY_FILES: [i32; 2] = [24, 23];
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "let the peer write to the .state folder of its scripts"
        }
        _ if cfg!(unix) && error.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code)) => {
            "let the peer open more files (ulimit -n)"
        }
        _ => "look at the disk and at the .state folder of the scripts",
    }
}

/// The store of one script.
pub struct KvStore {
    file: KvFile,
    state: Mutex<State>,
    /// Held while the file is written, so that two flushes do not race.
    writing: Mutex<()>,
    /// Taken before a thread is, so that only one invocation holds a thread to write this store.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    entries: Entries,
    /// Changes that are not on disk yet; `None` deletes.
    unwritten: BTreeMap<String, Option<String>>,
    /// The file that `entries` was read from, before those changes.
    read_from: Option<Version>,
    loaded: bool,
    now: Moment,
    /// The number of the last change that is on disk.
    written: u64,
    /// The file's name may not be safe, and so nothing in it.
    name_unsafe: bool,
}

/// A moment in a store's life: what who has seen it depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Moment {
    /// How many changes there had been.
    change: u64,
    /// How many writes had failed and been taken back.
    taken_back: u64,
}

impl KvStore {
    /// The store of the script `name` whose file lies below `script_dir`. Nothing is read yet.
    pub fn new(script_dir: &Path, name: &ScriptName) -> Self {
        Self::on(Box::new(RealDisk), script_dir, name)
    }

    pub(super) fn on(disk: Box<dyn Disk>, script_dir: &Path, name: &ScriptName) -> Self {
        let path = script_dir.join(STATE_DIR).join(format!("{name}.json"));
        Self {
            file: KvFile::new(path, disk),
            state: Mutex::default(),
            writing: Mutex::default(),
            turn: Arc::default(),
        }
    }

    /// One invocation's use of the store.
    pub(crate) fn session(self: Arc<Self>) -> KvSession {
        KvSession { store: self, seen: Mutex::default() }
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        Ok(self.current(LOCK_WAIT)?.entries.get(key).cloned())
    }

    /// All keys and values.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn entries(&self) -> Result<BTreeMap<String, String>, KvError> {
        Ok(self.current(LOCK_WAIT)?.entries.clone())
    }

    /// Sets `key`; on disk after the next [`KvStore::flush_now`].
    ///
    /// # Errors
    /// When a limit would be passed, or the file can't be read.
    pub fn set(&self, key: &str, value: &str) -> Result<(), KvError> {
        self.current(LOCK_WAIT)?.set(key, value)
    }

    /// Deletes `key`; on disk after the next [`KvStore::flush_now`]. Tells whether it was there.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn delete(&self, key: &str) -> Result<bool, KvError> {
        Ok(self.current(LOCK_WAIT)?.delete(key))
    }

    /// The store's files that were no stores and were set aside, by name.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn set_aside_files(&self) -> io::Result<Vec<PathBuf>> {
        self.file.set_aside_files()
    }

    /// Writes what is not on disk yet and returns when it is safe there. Blocks.
    ///
    /// # Errors
    /// When the file can't be written, another process holds it, or what both wrote together is
    /// over a limit. All changes since the last flush are then taken back, and the file is whole; after
    /// [`KvError::NotSafe`] they are in the file, and the next flush tries again to make them safe.
    pub fn flush_now(&self) -> Result<(), KvError> {
        let now = self.state.lock().now;
        self.flush_up_to(now)
    }

    /// Returns when what had happened at `moment` is safe, or tells that it was taken back.
    fn flush_up_to(&self, moment: Moment) -> Result<(), KvError> {
        let _writing = self.writing.lock();
        // Somebody else's write may have served this one too.
        if self.state.lock().is_safe(moment)? {
            return Ok(());
        }
        let written = self.write();
        match &written {
            // Everybody reads the new file already.
            Ok(()) | Err(KvError::NotSafe { .. }) => {}
            Err(_) => self.state.lock().take_back(),
        }
        written
    }

    fn write(&self) -> Result<(), KvError> {
        self.file.ensure_folder()?;
        let lock = self.file.lock(LOCK_WAIT)?;
        // All at one moment: a key that is changed between them and changed back would count as
        // written, and the file would have what it held in between.
        let (entries, changes, last) = {
            let mut state = self.state.lock();
            if !self.is_current(&state)? {
                let (entries, version) = self.file.read_or_set_aside(Some(&lock), LOCK_WAIT)?;
                state.load(entries, version);
            }
            state.check_limits()?;
            (state.entries.clone(), state.unwritten.clone(), state.now.change)
        };
        let Replaced { version, name_synced } = self.file.replace(&lock, &entries)?;
        let mut state = self.state.lock();
        state.read_from = Some(version);
        state.written = last;
        state.name_unsafe = name_synced.is_err();
        state.unwritten.retain(|key, value| changes.get(key) != Some(value));
        name_synced.map_err(|source| KvError::NotSafe { source })
    }

    /// The state, with what others wrote into the file; waits for `longest` to set aside one that is broken.
    fn current(&self, longest: Duration) -> Result<MutexGuard<'_, State>, KvError> {
        let mut state = self.state.lock();
        if !self.is_current(&state)? {
            let (entries, version) = self.file.read_or_set_aside(None, longest)?;
            state.load(entries, version);
        }
        Ok(state)
    }

    fn is_current(&self, state: &State) -> Result<bool, KvError> {
        Ok(state.loaded && self.file.is_still(state.read_from.as_ref())?)
    }
}

impl State {
    /// Takes over what the file holds, and makes the unwritten changes to it anew.
    fn load(&mut self, entries: Entries, version: Option<Version>) {
        self.entries = entries;
        for (key, value) in &self.unwritten {
            match value {
                Some(value) => self.entries.insert(key.clone(), value.clone()),
                None => self.entries.remove(key),
            };
        }
        self.read_from = version;
        self.loaded = true;
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), KvError> {
        let old = self.entries.get(key);
        let keys = self.entries.len() + usize::from(old.is_none());
        if keys > MAX_KEYS {
            return Err(KvError::TooManyKeys { found: keys });
        }
        let replaced = old.map_or(0, |old| key.len() + old.len());
        let found = bytes(&self.entries) - replaced + key.len() + value.len();
        if found > MAX_BYTES {
            return Err(KvError::TooLarge { found });
        }
        self.entries.insert(key.to_owned(), value.to_owned());
        self.note_change(key, Some(value.to_owned()));
        Ok(())
    }

    fn delete(&mut self, key: &str) -> bool {
        let existed = self.entries.remove(key).is_some();
        if existed {
            self.note_change(key, None);
        }
        existed
    }

    fn note_change(&mut self, key: &str, value: Option<String>) {
        self.unwritten.insert(key.to_owned(), value);
        self.now.change += 1;
    }

    /// Changes that each fit may be too much together with another process's. A file that its
    /// owner made too large by hand can still be made smaller.
    fn check_limits(&self) -> Result<(), KvError> {
        if self.unwritten.values().all(Option::is_none) {
            return Ok(());
        }
        if self.entries.len() > MAX_KEYS {
            return Err(KvError::TooManyKeys { found: self.entries.len() });
        }
        match bytes(&self.entries) {
            found if found > MAX_BYTES => Err(KvError::TooLarge { found }),
            _ => Ok(()),
        }
    }

    /// Whether what had happened at `moment` is on disk.
    fn is_safe(&self, moment: Moment) -> Result<bool, KvError> {
        if moment.taken_back != self.now.taken_back {
            return Err(KvError::TakenBack);
        }
        Ok(moment.change <= self.written && !self.name_unsafe)
    }

    /// Forgets the unwritten changes; the file is read again before it is used.
    fn take_back(&mut self) {
        self.unwritten.clear();
        self.loaded = false;
        self.now.taken_back += 1;
        self.written = self.now.change;
    }
}

/// One invocation's use of a store: what it has seen has to be on disk before its reply leaves.
pub(crate) struct KvSession {
    store: Arc<KvStore>,
    seen: Mutex<Option<Moment>>,
}

impl KvSession {
    /// As [`KvStore::get`].
    pub(crate) fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        self.with(|state| Ok(state.entries.get(key).cloned()))
    }

    /// As [`KvStore::set`].
    pub(crate) fn set(&self, key: &str, value: &str) -> Result<(), KvError> {
        self.with(|state| state.set(key, value))
    }

    /// As [`KvStore::delete`].
    pub(crate) fn delete(&self, key: &str) -> Result<bool, KvError> {
        self.with(|state| Ok(state.delete(key)))
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> Result<T, KvError>) -> Result<T, KvError> {
        let mut state = self.store.current(LOCK_WAIT_OF_SESSIONS)?;
        let mut seen = self.seen.lock();
        if seen.is_some_and(|seen| seen.taken_back != state.now.taken_back) {
            return Err(KvError::TakenBack);
        }
        let result = act(&mut state);
        *seen = Some(state.now);
        result
    }

    /// Returns when everything that this invocation has seen is safe on disk; at once when it is,
    /// or when the invocation did not use the store.
    ///
    /// # Errors
    /// As [`KvStore::flush_now`], and when another invocation's write failed.
    pub(crate) async fn flush(&self) -> Result<(), KvError> {
        let Some(seen) = *self.seen.lock() else { return Ok(()) };
        if self.store.state.lock().is_safe(seen)? {
            return Ok(());
        }
        // Without a thread: a write that another process holds up would soon have all of this worker's.
        let turn = self.store.turn.clone().lock_owned().await;
        let store = self.store.clone();
        if store.state.lock().is_safe(seen)? {
            return Ok(());
        }
        let write = move || {
            // Kept to the end of the write, also when nobody waits for it any more.
            let _turn = turn;
            store.flush_up_to(seen)
        };
        match tokio::task::spawn_blocking(write).await {
            Ok(result) => result,
            Err(error) => Err(KvError::Write { step: "the writing thread", source: io::Error::other(error) }),
        }
    }
}

fn bytes(entries: &Entries) -> usize {
    entries.iter().map(|(key, value)| key.len() + value.len()).sum()
}

#[cfg(test)]
mod tests;
