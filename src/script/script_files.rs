//! The files of a script folder that are scripts by their names, and those that only look like it.
//!
//! What ends in `.lua` was meant to be a script, so whatever keeps it from being one is said. Hidden files
//! and what editors leave beside a file are passed over.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::script::name::{SCRIPT_FILE_RULE, ScriptName};

/// The most scripts a peer can have.
pub(crate) const MAX_SCRIPTS: usize = 1_000;

/// The most files that are no scripts of which the owner is told.
const MAX_UNUSABLE: usize = 1_000;

/// Where deployed templates keep data functions, below the script folder.
pub(crate) const FUNCTIONS_DIR: &str = "functions";

/// Why a script of `functions/` is not loaded when the script folder has one too, for messages to its owner.
pub const PASSED_OVER: &str = "the script folder has a script of this name too, which goes before";

/// What a look at the folder found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) files: BTreeMap<ScriptName, ScriptFile>,
    pub(super) unusable: Vec<Unusable>,
    /// Folders that there are, of which it is not known what is in them.
    pub(super) unreadable: Vec<(PathBuf, io::Error)>,
}

/// The file of a script.
pub(super) struct ScriptFile {
    pub(super) path: PathBuf,
    pub(super) in_script_dir: bool,
}

/// What ends in `.lua` and can't be used.
pub(super) struct Unusable {
    pub(super) path: PathBuf,
    /// The script that it would be.
    pub(super) name: Option<ScriptName>,
    /// Why it isn't.
    pub(super) problem: String,
}

impl Found {
    /// Looks into `dir` and its `functions/`. A name in both is the script folder's. When there are too
    /// many, those of which `is_loaded` says so stay.
    pub(super) fn look(dir: &Path, is_loaded: impl Fn(&ScriptName) -> bool) -> Self {
        let mut found = Self::default();
        for (dir, in_script_dir) in [(dir.to_owned(), true), (dir.join(FUNCTIONS_DIR), false)] {
            match lua_files(&dir) {
                Ok(paths) => paths.into_iter().for_each(|path| found.add(path, in_script_dir)),
                Err(error) => {
                    // What is in it decides what a file in the other one is.
                    found.unreadable.push((dir, error));
                    break;
                }
            }
        }
        found.leave_out_too_many(is_loaded);
        found.unusable.truncate(MAX_UNUSABLE);
        found
    }

    fn add(&mut self, path: PathBuf, in_script_dir: bool) {
        let name = ScriptName::of_file(&path);
        let problem = match (fs::metadata(&path), &name) {
            // A link to nothing, as editors use for locks, or gone meanwhile.
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => return,
            (Ok(metadata), _) if metadata.is_dir() => "is a folder; a script is a plain file".to_owned(),
            // A pipe, say; to read one would wait for its other end.
            (Ok(metadata), _) if !metadata.is_file() => "is no plain file".to_owned(),
            (_, None) => SCRIPT_FILE_RULE.to_owned(),
            (_, Some(name)) => match self.files.entry(name.clone()) {
                Entry::Occupied(_) => PASSED_OVER.to_owned(),
                Entry::Vacant(free) => {
                    free.insert(ScriptFile { path, in_script_dir });
                    return;
                }
            },
        };
        self.unusable.push(Unusable { path, name, problem });
    }

    fn leave_out_too_many(&mut self, is_loaded: impl Fn(&ScriptName) -> bool) {
        if self.files.len() <= MAX_SCRIPTS {
            return;
        }
        let (loaded, new): (Vec<_>, Vec<_>) = self.files.keys().cloned().partition(is_loaded);
        let stay: HashSet<_> = loaded.into_iter().chain(new).take(MAX_SCRIPTS).collect();
        let all = std::mem::take(&mut self.files);
        for (name, file) in all {
            if stay.contains(&name) {
                self.files.insert(name, file);
            } else {
                let problem = format!("there are {MAX_SCRIPTS} scripts already, which is the limit");
                self.unusable.push(Unusable { path: file.path, name: Some(name), problem });
            }
        }
    }
}

/// What is in a folder and was meant to be a script, sorted; nothing when the folder is gone.
fn lua_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry?;
        if is_meant_as_script(&entry.file_name().to_string_lossy()) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Only these say that there is no such folder. Any other failure (too many open files, a network drive
/// that is away) says nothing about the scripts in it.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn is_meant_as_script(file_name: &str) -> bool {
    !file_name.starts_with('.') && file_name.to_ascii_lowercase().ends_with(".lua")
}
