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
//! Where the platform's watcher can't be had (no more watches, an odd file system), the folder is looked
//! at every two seconds. Where it can be had and says nothing (a network file system that another machine
//! writes to), the slow look finds what it kept quiet about.
//!
//! [`Registry::sync`]: super::registry::Registry::sync

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

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
        let wanted = self.shared.watch_anew.swap(false, Ordering::AcqRel);
        if let Some(watcher) = self.watcher.as_mut().filter(|_| wanted)
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
    folders: Arc<[PathBuf]>,
}

impl FolderWatcher {
    fn start(peer_dir: &Path, script_dir: &Path, shared: &Arc<Shared>) -> Result<Self, notify::Error> {
        let folders: Arc<[PathBuf]> = folders(peer_dir, script_dir).into();
        let (watched, shared, script_dir) = (folders.clone(), shared.clone(), script_dir.to_owned());
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Concern { look, watch_anew } = concern(event.as_ref().ok(), &watched, &script_dir);
            if watch_anew {
                shared.watch_anew.store(true, Ordering::Release);
            }
            if look {
                shared.wake();
            }
        })?;
        let mut this = Self { watcher, folders };
        this.watch_all()?;
        Ok(this)
    }

    /// Watches every folder that there is.
    fn watch_all(&mut self) -> Result<(), notify::Error> {
        for folder in self.folders.iter() {
            // What was watched under this name may be gone, and then there is nothing to end.
            let _ = self.watcher.unwatch(folder);
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Err(error) if !is_missing(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn is_missing(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

/// From the peer folder down to the scripts.
fn folders(peer_dir: &Path, script_dir: &Path) -> Vec<PathBuf> {
    // Reached over a link, the script folder is elsewhere; then the folder above it is watched.
    let top =
        if script_dir.starts_with(peer_dir) { peer_dir } else { script_dir.parent().unwrap_or(script_dir) };
    let mut folders: Vec<_> =
        script_dir.ancestors().take_while(|folder| folder.starts_with(top)).map(Path::to_owned).collect();
    folders.reverse();
    folders.push(script_dir.join(FUNCTIONS_DIR));
    folders
}

/// What an event is to us.
#[derive(Debug, PartialEq, Eq)]
struct Concern {
    look: bool,
    watch_anew: bool,
}

/// `None` stands for events that were lost. Reading a script is nothing to look for, nor is what `goop.kv`
/// and the database write.
fn concern(event: Option<&notify::Event>, folders: &[PathBuf], script_dir: &Path) -> Concern {
    let Some(event) = event.filter(|event| !event.need_rescan()) else {
        return Concern { look: true, watch_anew: true };
    };
    if event.kind.is_access() {
        return Concern { look: false, watch_anew: false };
    }
    let watch_anew = event.paths.iter().any(|path| folders.contains(path));
    let is_inside = |path: &PathBuf| match path.strip_prefix(script_dir) {
        Ok(inside) => !inside.starts_with(STATE_DIR),
        Err(_) => false,
    };
    Concern { look: watch_anew || event.paths.is_empty() || event.paths.iter().any(is_inside), watch_anew }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, Flag, ModifyKind};

    use super::*;

    fn concern_of(kind: EventKind, path: &str) -> Concern {
        let (peer, scripts) = (Path::new("/peer"), Path::new("/peer/site/lua"));
        let event = notify::Event::new(kind).add_path(path.into());
        concern(Some(&event), &folders(peer, scripts), scripts)
    }

    #[test]
    fn only_what_may_change_scripts_wakes_the_watch() {
        let modified = EventKind::Modify(ModifyKind::Any);
        let look = |look, watch_anew| Concern { look, watch_anew };
        assert_eq!(concern_of(modified, "/peer/site/lua/a.lua"), look(true, false));
        assert_eq!(concern_of(modified, "/peer/data.db-wal"), look(false, false));
        assert_eq!(concern_of(modified, "/peer/site/index.html"), look(false, false));
        assert_eq!(concern_of(modified, "/peer/site/lua/.state/a.json"), look(false, false));
        assert_eq!(concern_of(EventKind::Create(CreateKind::Folder), "/peer/site"), look(true, true));
        let read = EventKind::Access(AccessKind::Close(AccessMode::Read));
        assert_eq!(concern_of(read, "/peer/site/lua/a.lua"), look(false, false));
    }

    #[test]
    fn lost_events_mean_looking_and_watching_anew() {
        let all = Concern { look: true, watch_anew: true };
        assert_eq!(concern(None, &[], Path::new("/peer/site/lua")), all);
        let overflow = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(concern(Some(&overflow), &[], Path::new("/peer/site/lua")), all);
    }

    #[test]
    fn a_linked_script_folder_is_watched_where_it_is() {
        let folders = folders(Path::new("/peer"), Path::new("/shared/lua"));
        let expected = ["/shared", "/shared/lua", "/shared/lua/functions"];
        assert_eq!(folders, expected.map(PathBuf::from));
    }
}
