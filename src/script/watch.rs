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
//! at every two seconds, and each time the watcher is tried again: what it lacked may be there by now. Where it
//! can be had and says nothing (a network file system that another machine writes to), the slow look finds what
//! it kept quiet about.
//!
//! [`Registry::sync`]: super::registry::Registry::sync

mod folders;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::Watcher;

use self::folders::{FolderWatcher, Folders};
use super::options::Reload;
use super::registry::Look;

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
        let folders = Folders { peer_dir: peer_dir.to_owned(), script_dir: script_dir.to_owned() };
        let platforms: Maker = Box::new(|handler| Ok(Box::new(notify::recommended_watcher(handler)?)));
        let (watching, pace) = match reload {
            Reload::Off => return Ok(None),
            Reload::Poll(interval) => {
                (Watching::Never, Pace { poll: interval.max(MIN_POLL), ..Pace::default() })
            }
            Reload::Watch => (Watching::failed(folders, platforms), Pace::default()),
        };
        Self::start_with(watching, pace, look).map(Some)
    }

    fn start_with(
        watching: Watching,
        pace: Pace,
        look: impl FnMut() -> Look + Send + 'static,
    ) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let shared =
            Arc::new(Shared { wake, stop: AtomicBool::new(false), watch_anew: AtomicBool::new(false) });
        let mut looker = Looker { shared: shared.clone(), woken, watching, pace, look };
        // Before this returns, so that what is saved afterwards is noticed at once.
        looker.keep_watching();
        let thread = std::thread::Builder::new().name("script-watch".to_owned()).spawn(|| looker.run())?;
        Ok(Self { shared, thread: Some(thread) })
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

/// How often the folder is looked at although nobody said that it changed.
struct Pace {
    /// Without a watcher.
    poll: Duration,
    /// With one.
    slow: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { poll: POLL, slow: SLOW_LOOK }
    }
}

/// Makes a watcher that gives its events to a handler.
type Maker = Box<dyn FnMut(Handler) -> Result<Box<dyn Watcher + Send>, notify::Error> + Send>;

type Handler = Box<dyn FnMut(notify::Result<notify::Event>) + Send>;

/// What the thread has of a watcher.
enum Watching {
    /// None is wanted.
    Never,
    On(FolderWatcher, Maker),
    /// None could be had, or the one there was has failed.
    Failed {
        folders: Folders,
        make: Maker,
        is_told: bool,
    },
}

impl Watching {
    /// None yet.
    fn failed(folders: Folders, make: Maker) -> Self {
        Self::Failed { folders, make, is_told: false }
    }

    /// Tries again what has failed, or watches anew what is there no more or where `is_asked`.
    fn kept(self, is_asked: bool, shared: &Arc<Shared>) -> Self {
        let say = |error: &notify::Error, is_told: bool| {
            if !is_told {
                tracing::warn!(%error, "the platform's file watcher does not work; looking every {POLL:?}");
            }
        };
        match self {
            Self::Never => Self::Never,
            Self::On(mut watcher, make) => {
                if !is_asked && !watcher.is_elsewhere() {
                    return Self::On(watcher, make);
                }
                match watcher.watch_all() {
                    Ok(()) => Self::On(watcher, make),
                    Err(error) => {
                        say(&error, false);
                        Self::Failed { folders: watcher.folders, make, is_told: true }
                    }
                }
            }
            Self::Failed { folders, mut make, is_told } => {
                match FolderWatcher::start(&folders, &mut make, shared) {
                    Ok(watcher) => {
                        if is_told {
                            tracing::info!("the platform's file watcher works again");
                        }
                        Self::On(watcher, make)
                    }
                    Err(error) => {
                        say(&error, is_told);
                        Self::Failed { folders, make, is_told: true }
                    }
                }
            }
        }
    }
}

/// What the thread does.
struct Looker<F> {
    shared: Arc<Shared>,
    woken: Receiver<()>,
    watching: Watching,
    pace: Pace,
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
            self.keep_watching();
            let idle = match self.watching {
                Watching::On(..) => self.pace.slow,
                Watching::Never | Watching::Failed { .. } => self.pace.poll,
            };
            wait = match (self.look)() {
                Look::Settled => idle,
                Look::Again => LOOK_AGAIN.min(idle),
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
    fn keep_watching(&mut self) {
        let is_asked = self.shared.watch_anew.swap(false, Ordering::AcqRel);
        self.watching = std::mem::replace(&mut self.watching, Watching::Never).kept(is_asked, &self.shared);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use notify::RecursiveMode;
    use notify::event::{EventKind, ModifyKind};

    use super::*;

    const TOO_LONG: Duration = Duration::from_secs(20);

    /// What the watch does, in its order.
    #[derive(Debug, PartialEq, Eq)]
    enum Did {
        Watch,
        Look,
    }

    /// A watcher that fails while it is told to.
    struct Unsure {
        fails: Arc<AtomicBool>,
        did: Sender<Did>,
    }

    impl Watcher for Unsure {
        fn new<F: notify::EventHandler>(_: F, _: notify::Config) -> notify::Result<Self> {
            Err(notify::Error::generic("made by the test only"))
        }

        fn watch(&mut self, _: &Path, _: RecursiveMode) -> notify::Result<()> {
            if self.fails.load(Ordering::Acquire) {
                return Err(notify::Error::generic("no more watches"));
            }
            // The test may be over.
            let _ = self.did.send(Did::Watch);
            Ok(())
        }

        fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
            Ok(())
        }

        fn kind() -> notify::WatcherKind {
            notify::WatcherKind::NullWatcher
        }
    }

    /// Waits until the watch has done it.
    fn wait_for(done: &Receiver<Did>, wanted: &Did) {
        while done.recv_timeout(TOO_LONG).unwrap() != *wanted {}
    }

    /// Once it had failed, the folder was looked at every two seconds until the peer's next start.
    #[test]
    fn a_watcher_that_fails_is_tried_again_at_every_look() {
        let dir = tempfile::tempdir().unwrap();
        let peer_dir = dir.path().canonicalize().unwrap();
        let script_dir = peer_dir.join("site/lua");
        std::fs::create_dir_all(&script_dir).unwrap();
        let fails = Arc::new(AtomicBool::new(true));
        let ((handlers, made), (did, done)) = (channel(), channel());
        let (is_failing, watches) = (fails.clone(), did.clone());
        let make: Maker = Box::new(move |handler| {
            // The test may be over.
            let _ = handlers.send(handler);
            Ok(Box::new(Unsure { fails: is_failing.clone(), did: watches.clone() }))
        });
        let folders = Folders { peer_dir, script_dir: script_dir.clone() };
        // With a watcher nobody looks but for its events.
        let pace = Pace { poll: MIN_POLL, slow: Duration::MAX };
        let look = move || {
            let _ = did.send(Did::Look);
            Look::Settled
        };
        let _watch = ScriptWatch::start_with(Watching::failed(folders, make), pace, look).unwrap();
        for _ in 0..2 {
            for _ in 0..3 {
                // It is polled while there is no watcher.
                wait_for(&done, &Did::Look);
            }
            fails.store(false, Ordering::Release);
            wait_for(&done, &Did::Watch);
            wait_for(&done, &Did::Look);
            let mut handler = made.try_iter().last().unwrap();
            let mut touch = |path: &Path| {
                let event = notify::Event::new(EventKind::Modify(ModifyKind::Any));
                handler(Ok(event.add_path(path.to_owned())));
            };
            touch(&script_dir.join("a.lua"));
            wait_for(&done, &Did::Look);
            fails.store(true, Ordering::Release);
            touch(&script_dir);
        }
    }
}
