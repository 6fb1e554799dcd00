//! What the paths in a configuration lead to, in the folder that it is for.
//!
//! How a path is written says little: a link or `./` makes one place of two names. So the places are
//! compared, as far as they exist.

use std::path::{Path, PathBuf};

use super::{Config, ConfigError, DATABASE_FILE, FILE_NAME, HISTORY_FILE, SITE_DIR};

/// What SQLite keeps beside a database.
const DATABASE_SUFFIXES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

impl Config {
    /// The files of the peer folder that nobody else may have, relative to it.
    pub fn private_files(&self) -> Vec<PathBuf> {
        let mut files = other_files();
        files.push(self.identity.key_file.clone());
        files
    }
}

/// The files that have their fixed names.
fn other_files() -> Vec<PathBuf> {
    let databases = [DATABASE_FILE, HISTORY_FILE].into_iter();
    let databases =
        databases.flat_map(|file| DATABASE_SUFFIXES.map(|suffix| format!("{file}{suffix}").into()));
    databases.chain([FILE_NAME.into()]).collect()
}

/// What is wrong with where the paths of `config` lead in the peer folder `dir`.
pub(super) fn problems(dir: &Path, config: &Config) -> Vec<ConfigError> {
    let site = place(dir, SITE_DIR.as_ref());
    let key = place(dir, &config.identity.key_file);
    let scripts = place(dir, &config.lua.script_dir);
    let is_other_file = || other_files().iter().any(|other| place(dir, other) == key);
    let key_problem = if key.starts_with(&site) {
        Some("must not lie in site/, which is served")
    } else if key.is_dir() || !is_in_folder(&key) {
        Some("must be a file, and a folder is there, or a file in place of its folder")
    } else if is_other_file() {
        Some("must be a file of its own, not one that the peer has for something else")
    } else {
        None
    };
    let script_problem = if site.starts_with(&scripts) {
        Some("must not hold site/: what is in the script folder is not served")
    } else if scripts.exists() && !scripts.is_dir() || !is_in_folder(&scripts) {
        Some("must be a folder, and a file is there")
    } else {
        None
    };
    let unfit = |field: &'static str, problem: Option<&'static str>| {
        problem.map(|problem| ConfigError::Unfit { field, problem: problem.to_owned() })
    };
    let found = [unfit("identity.key_file", key_problem), unfit("lua.script_dir", script_problem)];
    found.into_iter().flatten().collect()
}

/// Where `path` leads, links followed as far as there is something.
fn place(dir: &Path, path: &Path) -> PathBuf {
    // Without the `.` that may stand in it.
    let whole: PathBuf = dir.join(path).components().collect();
    let mut missing = Vec::new();
    let mut there = whole.as_path();
    loop {
        if let Ok(found) = there.canonicalize() {
            return missing.into_iter().rev().fold(found, |place, name| place.join(name));
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                there = parent;
            }
            _ => return whole,
        }
    }
}

/// Whether what is above `place`, as far as it exists, is a folder.
fn is_in_folder(place: &Path) -> bool {
    place.ancestors().skip(1).find(|above| above.exists()).is_none_or(Path::is_dir)
}
