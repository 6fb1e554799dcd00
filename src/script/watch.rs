//! Notices changes in the script folder.
//!
//! The platform's watcher says when to look; what changed is found out by looking
//! ([`Registry::sync`]), so an event that is missed costs time and nothing else. A thread of its own
//! waits for events, collects them for a moment, because saving one file is several, and looks.
//!
//! Watched are the script folder, its `functions/`, and the folders above it up to the peer folder, each
//! without what is below: a site may hold thousands of folders, and only these can make a script come or
//! go. A folder that is deleted and made again is a new one to the platform, so whenever one of them is
//! touched all are watched anew.
//!
//! Any of them may be a link, and what counts is where the owner's path leads now. So each is watched where
//! it really lies, once, because two watches of one folder are one to the platform; and before each look it
//! is seen whether the path still leads to the same folder, for links to links, which nobody watches.
//!
//! Where the platform's watcher can't be had (no more watches, an odd file system), the folder is looked
//! at every two seconds. Where it can be had and says nothing (a network file system that another machine
//! writes to), the slow look finds what it kept quiet about.
//!
//! [`Registry::sync`]: super::registry::Registry::sync

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::Mutex;

use super::kv_store::STATE_DIR;
use super::options::Reload;
use super::registry::Look;
use super::script_files::FUNCTIONS_DIR;

/// Events are collected until there was none for so long. Long enough for an editor's rename dance,
/// short enough that a save seems to work at once.
const QUIET: Duration = Duration::from_millis(20);

/// The longest that events are collected while they keep coming.
const MAX_COLLECT: Duration = Duration::from_millis(100);

/// When to look again at a file that looked half-written.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How often the folder is looked at where the platform has no watcher.
const POLL: Duration = Duration::from_secs(2);

/// The shortest time between two looks that an embedder can ask for.
const MIN_POLL: Duration = Duration::from_millis(1);

/// How often it is looked at although the platform's watcher said nothing.
const SLOW_LOOK: Duration = Duration::from_secs(10);

/// Watches until dropped.
pub(crate) struct ScriptWatch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the platform's watcher, the thread and the owner share.
struct Shared {
    wake: SyncSender<()>,
    stop: AtomicBool,
    /// A watched folder itself was touched, or the watcher does not know.
    watch_anew: AtomicBool,
}

impl Shared {
    fn wake(&self) {
        // Full means that the thread is about to look anyway.
        let _ = self.wake.try_send(());
    }
}

impl ScriptWatch {
    /// Calls `look` whenever something in `script_dir` may have changed, until it says that all is settled.
    ///
    /// # Errors
    /// When the thread can't be started.
    pub(crate) fn start(
        peer_dir: &Path,
        script_dir: &Path,
        reload: Reload,
        look: impl FnMut() -> Look + Send + 'static,
    ) -> std::io::Result<Option<Self>> {
        let (wake, woken) = sync_channel(1);
        let shared =
            Arc::new(Shared { wake, stop: AtomicBool::new(false), watch_anew: AtomicBool::new(false) });
        let (watcher, idle) = match reload {
            Reload::Off => return Ok(None),
            Reload::Poll(interval) => (None, interval.max(MIN_POLL)),
            Reload::Watch => match FolderWatcher::start(peer_dir, script_dir, &shared) {
                Ok(watcher) => (Some(watcher), SLOW_LOOK),
                Err(error) => {
                    tracing::warn!(%error, "the platform's file watcher does not work; looking every {POLL:?}");
                    (None, POLL)
                }
            },
        };
        let looker = Looker { shared: shared.clone(), woken, watcher, idle, look };
        let thread = std::thread::Builder::new().name("script-watch".to_owned()).spawn(|| looker.run())?;
        Ok(Some(Self { shared, thread: Some(thread) }))
    }
}

impl Drop for ScriptWatch {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the watch over the scripts panicked");
        }
    }
}

/// What the thread does.
struct Looker<F> {
    shared: Arc<Shared>,
    woken: Receiver<()>,
    watcher: Option<FolderWatcher>,
    /// How long to wait for an event before looking all the same.
    idle: Duration,
    look: F,
}

impl<F: FnMut() -> Look> Looker<F> {
    fn run(mut self) {
        // The first look follows at once: something may have changed before the watch began.
        let mut wait = Duration::ZERO;
        loop {
            let woken = self.woken.recv_timeout(wait);
            if woken.is_ok() {
                self.collect();
            }
            if woken == Err(RecvTimeoutError::Disconnected) || self.shared.stop.load(Ordering::Acquire) {
                return;
            }
            self.watch_anew();
            wait = match (self.look)() {
                Look::Settled => self.idle,
                Look::Again => LOOK_AGAIN.min(self.idle),
            };
        }
    }

    /// Waits until the events stop coming.
    fn collect(&self) {
        let first = Instant::now();
        while first.elapsed() < MAX_COLLECT
            && !self.shared.stop.load(Ordering::Acquire)
            && self.woken.recv_timeout(QUIET).is_ok()
        {}
    }

    /// Before the look, so that what comes between the two is seen by one of them.
    fn watch_anew(&mut self) {
        let asked = self.shared.watch_anew.swap(false, Ordering::AcqRel);
        if let Some(watcher) = self.watcher.as_mut().filter(|watcher| asked || watcher.is_elsewhere())
            && let Err(error) = watcher.watch_all()
        {
            tracing::warn!(%error, "the platform's file watcher failed; looking every {POLL:?}");
            self.watcher = None;
            self.idle = POLL;
        }
    }
}

/// The platform's watcher over the folders that scripts can come from.
struct FolderWatcher {
    watcher: RecommendedWatcher,
    /// As the owner named them.
    peer_dir: PathBuf,
    script_dir: PathBuf,
    /// Where they were when they were last watched; what events are compared with.
    places: Arc<Mutex<Places>>,
}

impl FolderWatcher {
    fn start(peer_dir: &Path, script_dir: &Path, shared: &Arc<Shared>) -> Result<Self, notify::Error> {
        let places = Arc::new(Mutex::new(Places::default()));
        let (watched, shared) = (places.clone(), shared.clone());
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Concern { look, watch_anew } = watched.lock().concern(event.as_ref().ok());
            if watch_anew {
                shared.watch_anew.store(true, Ordering::Release);
            }
            if look {
                shared.wake();
            }
        })?;
        let (peer_dir, script_dir) = (peer_dir.to_owned(), script_dir.to_owned());
        let mut this = Self { watcher, peer_dir, script_dir, places };
        this.watch_all()?;
        Ok(this)
    }

    /// Watches every folder that there is.
    fn watch_all(&mut self) -> Result<(), notify::Error> {
        // Before the watches: what changes between the two is an event of the new ones or is seen by the look.
        let places = Places::find(&self.peer_dir, &self.script_dir);
        let watched = places.folders.clone();
        let before = std::mem::replace(&mut *self.places.lock(), places);
        for folder in &before.folders {
            // What was watched under this name may be gone, and then there is nothing to end.
            let _ = self.watcher.unwatch(folder);
        }
        for folder in &watched {
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Err(error) if !is_missing(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the owner's path leads elsewhere by now.
    fn is_elsewhere(&self) -> bool {
        self.script_dir.canonicalize().ok() != self.places.lock().script_dir
    }
}

fn is_missing(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

/// Where the folders really lie that scripts can come from.
#[derive(Debug, Default)]
struct Places {
    /// To be watched: those that there are.
    folders: BTreeSet<PathBuf>,
    /// What makes one of them another when it is touched: the folders, and the links to them.
    names: BTreeSet<PathBuf>,
    /// The script folder.
    script_dir: Option<PathBuf>,
    /// Its `functions/`.
    functions: Option<PathBuf>,
}

impl Places {
    fn find(peer_dir: &Path, script_dir: &Path) -> Self {
        let functions = script_dir.join(FUNCTIONS_DIR);
        let real = |path: &Path| path.canonicalize().ok();
        let mut this = Self { script_dir: real(script_dir), functions: real(&functions), ..Self::default() };
        // From the scripts up to the peer folder, or to the folder above them when they are elsewhere.
        let top = if script_dir.starts_with(peer_dir) {
            peer_dir
        } else {
            script_dir.parent().unwrap_or(script_dir)
        };
        let above = script_dir.ancestors().take_while(|folder| folder.starts_with(top));
        for folder in above.chain([functions.as_path()]) {
            this.add(folder);
        }
        // Over a link the script folder is elsewhere, and may be deleted and made again there.
        if let Some(parent) = this.script_dir.as_deref().and_then(Path::parent).map(Path::to_owned) {
            this.folders.insert(parent);
        }
        this
    }

    fn add(&mut self, folder: &Path) {
        if let (Some(parent), Some(name)) = (folder.parent(), folder.file_name())
            && let Ok(parent) = parent.canonicalize()
        {
            self.names.insert(parent.join(name));
        }
        if let Ok(real) = folder.canonicalize() {
            self.names.insert(real.clone());
            self.folders.insert(real);
        }
    }

    /// What an event is to us. `None` stands for events that were lost. Reading a script is nothing to look
    /// for, nor is what `goop.kv` and the database write.
    fn concern(&self, event: Option<&notify::Event>) -> Concern {
        let Some(event) = event.filter(|event| !event.need_rescan()) else {
            return Concern { look: true, watch_anew: true };
        };
        if event.kind.is_access() {
            return Concern { look: false, watch_anew: false };
        }
        let watch_anew = event.paths.iter().any(|path| self.names.contains(path));
        let is_inside = |path: &PathBuf| {
            [&self.script_dir, &self.functions]
                .into_iter()
                .flatten()
                .any(|folder| path.strip_prefix(folder).is_ok_and(|inside| !inside.starts_with(STATE_DIR)))
        };
        Concern {
            look: watch_anew || event.paths.is_empty() || event.paths.iter().any(is_inside),
            watch_anew,
        }
    }
}

/// What an event is to us.
#[derive(Debug, PartialEq, Eq)]
struct Concern {
    look: bool,
    watch_anew: bool,
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, Flag, ModifyKind};

    use super::*;

    /// A temporary folder by its real path, as events name it.
    fn temporary() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        (dir, path)
    }

    #[test]
    fn only_what_may_change_scripts_wakes_the_watch() {
        let (_dir, peer) = temporary();
        let scripts = peer.join("site/lua");
        std::fs::create_dir_all(&scripts).unwrap();
        let places = Places::find(&peer, &scripts);
        let concern_of = |kind: EventKind, path: &str| {
            places.concern(Some(&notify::Event::new(kind).add_path(peer.join(path))))
        };
        let modified = EventKind::Modify(ModifyKind::Any);
        let look = |look, watch_anew| Concern { look, watch_anew };
        assert_eq!(concern_of(modified, "site/lua/a.lua"), look(true, false));
        assert_eq!(concern_of(modified, "data.db-wal"), look(false, false));
        assert_eq!(concern_of(modified, "site/index.html"), look(false, false));
        assert_eq!(concern_of(modified, "site/lua/.state/a.json"), look(false, false));
        assert_eq!(concern_of(EventKind::Create(CreateKind::Folder), "site"), look(true, true));
        assert_eq!(concern_of(EventKind::Create(CreateKind::Folder), "site/lua/functions"), look(true, true));
        let read = EventKind::Access(AccessKind::Close(AccessMode::Read));
        assert_eq!(concern_of(read, "site/lua/a.lua"), look(false, false));
    }

    #[test]
    fn lost_events_mean_looking_and_watching_anew() {
        let all = Concern { look: true, watch_anew: true };
        assert_eq!(Places::default().concern(None), all);
        let overflow = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(Places::default().concern(Some(&overflow)), all);
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_script_folder_is_watched_where_it_is_and_so_is_the_link() {
        let (_dir, base) = temporary();
        std::fs::create_dir_all(base.join("peer/site")).unwrap();
        std::fs::create_dir_all(base.join("shared/lua/functions")).unwrap();
        std::os::unix::fs::symlink("../../shared/lua", base.join("peer/site/lua")).unwrap();
        let places = Places::find(&base.join("peer"), &base.join("peer/site/lua"));
        let expected = ["peer", "peer/site", "shared", "shared/lua", "shared/lua/functions"];
        assert_eq!(places.folders, expected.map(|folder| base.join(folder)).into());
        let created = EventKind::Create(CreateKind::Any);
        for (path, watch_anew) in [("peer/site/lua", true), ("shared/lua", true), ("shared/lua/a.lua", false)]
        {
            let concern = places.concern(Some(&notify::Event::new(created).add_path(base.join(path))));
            assert_eq!(concern, Concern { look: true, watch_anew }, "{path}");
        }
    }
}
