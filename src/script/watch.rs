//! Notices changes in the script folder.
//!
//! The platform's watcher says when to look; what changed is found out by looking
//! ([`Registry::sync`]). It watches the folder above the scripts, so that a deleted and recreated
//! script folder is seen, and collects events for a moment, because saving one file is several.
//! Where the platform's watcher can't be had (a network file system, too many watches), the
//! folder is looked at every few seconds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::{PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};

/// How long events are collected. Long enough for an editor's rename dance, short enough that a
/// save seems to work at once.
const COLLECT: Duration = Duration::from_millis(40);

/// How often the folder is looked at where the platform has no watcher.
const POLL: Duration = Duration::from_secs(2);

/// Watches until dropped.
pub(crate) struct ScriptWatch {
    _watcher: Kind,
}

#[expect(dead_code, reason = "held for their drop")]
enum Kind {
    Platform(Debouncer<RecommendedWatcher, NoCache>),
    Poll(Debouncer<PollWatcher, NoCache>),
}

impl ScriptWatch {
    /// Calls `changed` whenever something below `script_dir` may have changed.
    ///
    /// # Errors
    /// When not even polling can be set up.
    pub(crate) fn start(
        script_dir: &Path,
        changed: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, notify::Error> {
        let changed: Arc<dyn Fn() + Send + Sync> = Arc::new(changed);
        let root = script_dir.parent().unwrap_or(script_dir);
        match watch::<RecommendedWatcher>(root, script_dir, changed.clone()) {
            Ok(watcher) => Ok(Self { _watcher: Kind::Platform(watcher) }),
            Err(error) => {
                tracing::warn!(%error, "the platform's file watcher does not work; looking every {POLL:?}");
                Ok(Self { _watcher: Kind::Poll(watch::<PollWatcher>(root, script_dir, changed)?) })
            }
        }
    }
}

fn watch<W: Watcher>(
    root: &Path,
    script_dir: &Path,
    changed: Arc<dyn Fn() + Send + Sync>,
) -> Result<Debouncer<W, NoCache>, notify::Error> {
    let script_dir = script_dir.to_owned();
    let on_events = move |result: DebounceEventResult| {
        let concerned = match &result {
            Ok(events) => events.iter().any(|event| concerns(event, &script_dir)),
            // Events were lost: look.
            Err(_) => true,
        };
        if concerned {
            changed();
        }
    };
    let config = notify::Config::default().with_poll_interval(POLL);
    let mut watcher = new_debouncer_opt::<_, W, _>(COLLECT, Some(COLLECT / 4), on_events, NoCache, config)?;
    watcher.watch(root, RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Whether the event may be about a script: reading is none of it, nor is what `goop.kv` writes.
fn concerns(event: &notify::Event, script_dir: &Path) -> bool {
    if event.need_rescan() {
        return true;
    }
    let about = |path: &std::path::PathBuf| match path.strip_prefix(script_dir) {
        Ok(inside) => !inside.starts_with(super::kv_store::STATE_DIR),
        Err(_) => script_dir.starts_with(path),
    };
    !event.kind.is_access() && (event.paths.is_empty() || event.paths.iter().any(about))
}
