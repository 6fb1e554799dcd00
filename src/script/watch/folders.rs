//! The folders that scripts can come from, under the platform's watcher.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use notify::{ErrorKind, RecursiveMode, Watcher};
use parking_lot::Mutex;

use super::{Maker, Shared};
use crate::script::kv_store::STATE_DIR;
use crate::script::script_files::FUNCTIONS_DIR;

/// The folders as the owner named them.
#[derive(Clone)]
pub(super) struct Folders {
    pub(super) peer_dir: PathBuf,
    pub(super) script_dir: PathBuf,
}

/// The platform's watcher over the folders that scripts can come from.
pub(super) struct FolderWatcher {
    watcher: Box<dyn Watcher + Send>,
    pub(super) folders: Folders,
    /// Where they were when they were last watched; what events are compared with.
    places: Arc<Mutex<Places>>,
}

impl FolderWatcher {
    pub(super) fn start(
        folders: &Folders,
        make: &mut Maker,
        shared: &Arc<Shared>,
    ) -> Result<Self, notify::Error> {
        let places = Arc::new(Mutex::new(Places::default()));
        let (watched, shared) = (places.clone(), shared.clone());
        let watcher = make(Box::new(move |event| {
            let Concern { look, watch_anew } = watched.lock().concern(event.as_ref().ok());
            if watch_anew {
                shared.watch_anew.store(true, Ordering::Release);
            }
            if look {
                shared.wake();
            }
        }))?;
        let mut this = Self { watcher, folders: folders.clone(), places };
        this.watch_all()?;
        Ok(this)
    }

    /// Watches every folder that there is.
    pub(super) fn watch_all(&mut self) -> Result<(), notify::Error> {
        // Before the watches: what changes between the two is an event of the new ones or is seen by the look.
        let places = Places::find(&self.folders.peer_dir, &self.folders.script_dir);
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
    pub(super) fn is_elsewhere(&self) -> bool {
        self.folders.script_dir.canonicalize().ok() != self.places.lock().script_dir
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
