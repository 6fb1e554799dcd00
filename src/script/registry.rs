//! The scripts of a peer: name to program, the last good version kept.
//!
//! [`Registry::sync`] compares the folder with what is loaded and makes up the difference. It is
//! the only way in: the first load, an editor's save, a rename, a deleted and recreated folder
//! and a missed event are all the same operation, where reacting to each kind of file event would
//! need a case for each editor.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::script::header::Header;
use crate::script::name::ScriptName;
use crate::vm::{LoadError, MAX_SOURCE_BYTES, Program};

/// The most scripts a peer can have.
const MAX_SCRIPTS: usize = 1_000;

/// Where deployed templates keep data functions, below the script folder.
const FUNCTIONS_DIR: &str = "functions";

/// A script that is ready to run.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) name: ScriptName,
    pub(crate) header: Header,
    pub(crate) program: Program,
    /// Whether it can be a chat command: what lies in `functions/` is a data function only.
    is_command: bool,
}

impl Script {
    /// Whether it answers `!name`.
    pub(crate) fn is_command(&self) -> bool {
        self.is_command
    }

    /// Whether visitors' pages can call it.
    pub(crate) fn is_function(&self) -> bool {
        self.program.entries().call
    }
}

/// What happened to a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptEvent {
    /// It was loaded, or replaced by a new version.
    Loaded {
        /// Its name.
        name: String,
    },
    /// Its file is gone, and so is it.
    Removed {
        /// Its name.
        name: String,
    },
    /// Its file can't be used; the last good version, if there is one, goes on answering.
    Rejected {
        /// Its file, relative to the script folder.
        file: String,
        /// What is wrong, with file and line where there is one.
        problem: String,
    },
}

/// The loaded scripts of one folder.
pub(crate) struct Registry {
    dir: PathBuf,
    scripts: RwLock<Arc<BTreeMap<ScriptName, Arc<Script>>>>,
    /// The hash of each file's content as it was last read; held while the folder is compared.
    /// Times are not looked at: an editor may keep them, and a clock may stand still.
    seen: Mutex<HashMap<PathBuf, u64>>,
    hasher: RandomState,
}

impl Registry {
    /// An empty registry of the scripts in `dir`.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, scripts: RwLock::default(), seen: Mutex::default(), hasher: RandomState::new() }
    }

    /// The scripts as they are now. A caller that holds them finishes with these versions.
    pub(crate) fn scripts(&self) -> Arc<BTreeMap<ScriptName, Arc<Script>>> {
        self.scripts.read().clone()
    }

    /// The script of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Script>> {
        let name = ScriptName::parse(name)?;
        self.scripts.read().get(&name).cloned()
    }

    /// Loads what is new or changed, drops what is gone, and tells what happened.
    pub(crate) fn sync(&self) -> Vec<ScriptEvent> {
        let mut seen = self.seen.lock();
        let mut events = Vec::new();
        let files = self.script_files(&mut events);
        let mut scripts = BTreeMap::clone(&self.scripts());
        for (name, file) in &files {
            if let Some(result) = self.load_if_changed(name, file, &mut seen) {
                match result {
                    Ok(script) => {
                        scripts.insert(name.clone(), Arc::new(script));
                        events.push(ScriptEvent::Loaded { name: name.to_string() });
                    }
                    Err(problem) => {
                        events.push(ScriptEvent::Rejected { file: self.relative(&file.path), problem });
                    }
                }
            }
        }
        seen.retain(|path, _| files.values().any(|file| file.path == *path));
        scripts.retain(|name, _| {
            let kept = files.contains_key(name);
            if !kept {
                events.push(ScriptEvent::Removed { name: name.to_string() });
            }
            kept
        });
        *self.scripts.write() = Arc::new(scripts);
        events
    }

    /// The files that are scripts by their names. A name in both folders is the script folder's.
    fn script_files(&self, events: &mut Vec<ScriptEvent>) -> BTreeMap<ScriptName, ScriptFile> {
        let mut files = BTreeMap::new();
        for (dir, is_command) in [(self.dir.clone(), true), (self.dir.join(FUNCTIONS_DIR), false)] {
            let Ok(entries) = fs::read_dir(&dir) else { continue };
            let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
            paths.sort();
            for path in paths {
                let Some(name) = ScriptName::of_file(&path) else { continue };
                if !fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) || files.contains_key(&name)
                {
                    continue;
                }
                if files.len() >= MAX_SCRIPTS {
                    let problem = format!("there are more than {MAX_SCRIPTS} scripts; this one is left out");
                    events.push(ScriptEvent::Rejected { file: self.relative(&path), problem });
                    return files;
                }
                files.insert(name, ScriptFile { path, is_command });
            }
        }
        files
    }

    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.dir).unwrap_or(path).display().to_string()
    }

    /// `None` when the file is as it was, or is gone again already.
    fn load_if_changed(
        &self,
        name: &ScriptName,
        file: &ScriptFile,
        seen: &mut HashMap<PathBuf, u64>,
    ) -> Option<Result<Script, String>> {
        let source = match read_bounded(&file.path) {
            Ok(source) => source,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Err(format!("{}: can't be read: {error}", file.path.display()))),
        };
        let hash = self.hasher.hash_one(&source);
        if seen.insert(file.path.clone(), hash) == Some(hash) {
            return None;
        }
        Some(load(name, &source, file.is_command).map_err(|error| error.to_string()))
    }
}

struct ScriptFile {
    path: PathBuf,
    is_command: bool,
}

/// Reads a file up to one byte over what a script may have: enough to know that it is too large.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut source = Vec::new();
    fs::File::open(path)?.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut source)?;
    Ok(source)
}

/// Checks and compiles one script.
pub(crate) fn load(name: &ScriptName, source: &[u8], in_script_dir: bool) -> Result<Script, LoadError> {
    let program = Program::compile(&name.file_name(), source)?;
    let is_command = in_script_dir && program.entries().handle;
    Ok(Script { name: name.clone(), header: Header::parse(source), program, is_command })
}
