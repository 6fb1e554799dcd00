//! The scripts of a peer: name to program, the last good version kept.
//!
//! [`Registry::sync`] compares the folder with what is loaded and makes up the difference. It is
//! the only way in: the first load, an editor's save, a rename, a deleted and recreated folder
//! and a missed event are all the same operation, where reacting to each kind of file event would
//! need a case for each editor.
//!
//! A look can fall into the middle of a save: the file is cut off, empty, or gone for a moment. What
//! would make a script worse (it does not load any more, or is no more) is therefore believed only when
//! a second look finds the same.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};

use crate::script::header::Header;
use crate::script::name::ScriptName;
use crate::vm::{LoadError, MAX_SOURCE_BYTES, Program};

/// The most scripts a peer can have.
pub(crate) const MAX_SCRIPTS: usize = 1_000;

/// Where deployed templates keep data functions, below the script folder.
pub(crate) const FUNCTIONS_DIR: &str = "functions";

/// A script that is ready to run.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) name: ScriptName,
    pub(crate) header: Header,
    program: Program,
    /// The same, made so that its errors have a whole traceback; once somebody wants one.
    traced: OnceLock<Program>,
    trace_begun: AtomicBool,
    source: Vec<u8>,
    /// What lies in `functions/` is a data function only.
    in_script_dir: bool,
}

impl Script {
    /// The program to run.
    pub(crate) fn program(&self) -> &Program {
        self.traced.get().unwrap_or(&self.program)
    }

    /// Makes the errors of later invocations have a whole traceback, which costs calls of small functions up
    /// to a third of their time: for a script that has failed, until its next version. Blocks for a compile.
    pub(crate) fn trace(&self) {
        // A hundred calls may fail at once, and one compile is enough.
        if !self.trace_begun.swap(true, Ordering::AcqRel)
            && let Ok(program) = Program::compile_traced(&self.name.file_name(), &self.source)
        {
            // Nobody else sets it.
            let _ = self.traced.set(program);
        }
    }

    /// Whether it answers `!name`.
    pub(crate) fn is_command(&self) -> bool {
        self.in_script_dir && self.program.entries().handle
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

/// Whether the folder was found in a state to rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// What is loaded is what there is.
    Settled,
    /// A file may be in the middle of a save: look again soon.
    Again,
}

/// How a look treats what may be the middle of a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Wait for a second look.
    Wait,
    /// Believe it: nobody is saving, or nobody will look again.
    Believe,
}

/// What is loaded.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) scripts: BTreeMap<ScriptName, Arc<Script>>,
    /// The names of the chat commands, sorted.
    pub(crate) commands: Arc<Vec<String>>,
}

/// The loaded scripts of one folder.
pub(crate) struct Registry {
    dir: PathBuf,
    loaded: RwLock<Arc<Loaded>>,
    /// Held while the folder is compared.
    files: Mutex<Files>,
    hasher: RandomState,
}

/// What the last look found. Times are not looked at: an editor may keep them, and a clock may stand still.
#[derive(Default)]
struct Files {
    /// The hash of each file's content as it was last taken over or rejected.
    seen: HashMap<PathBuf, u64>,
    /// The hash of the content of files that may be half-written.
    doubtful: HashMap<PathBuf, u64>,
    /// Scripts whose file was not there.
    missing: HashSet<ScriptName>,
    /// There were more scripts than there may be.
    too_many: bool,
}

impl Registry {
    /// An empty registry of the scripts in `dir`.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, loaded: RwLock::default(), files: Mutex::default(), hasher: RandomState::new() }
    }

    /// The scripts as they are now. A caller that holds them finishes with these versions.
    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        self.loaded.read().clone()
    }

    /// The script of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Script>> {
        let name = ScriptName::parse(name)?;
        self.loaded.read().scripts.get(&name).cloned()
    }

    /// Loads what is new or changed, drops what is gone, and tells what happened.
    pub(crate) fn sync(&self, doubt: Doubt) -> (Vec<ScriptEvent>, Look) {
        let mut known = self.files.lock();
        let mut events = Vec::new();
        let files = self.script_files(&mut known.too_many, &mut events);
        let mut scripts = self.loaded().scripts.clone();
        for (name, file) in &files {
            match self.load_if_changed(name, file, &mut known, doubt) {
                None => {}
                Some(Ok(script)) => {
                    scripts.insert(name.clone(), Arc::new(script));
                    events.push(ScriptEvent::Loaded { name: name.to_string() });
                }
                Some(Err(problem)) => {
                    events.push(ScriptEvent::Rejected { file: self.relative(&file.path), problem });
                }
            }
        }
        let there: HashSet<_> = files.values().map(|file| file.path.as_path()).collect();
        known.doubtful.retain(|path, _| there.contains(path.as_path()));
        known.seen.retain(|path, _| there.contains(path.as_path()));
        let gone: HashSet<_> = scripts.keys().filter(|name| !files.contains_key(name)).cloned().collect();
        scripts.retain(|name, _| {
            let kept = !gone.contains(name) || (doubt == Doubt::Wait && !known.missing.contains(name));
            if !kept {
                events.push(ScriptEvent::Removed { name: name.to_string() });
            }
            kept
        });
        known.missing = gone.into_iter().filter(|name| scripts.contains_key(name)).collect();
        let unsettled = !known.missing.is_empty() || !known.doubtful.is_empty();
        if !events.is_empty() {
            let commands = scripts.values().filter(|script| script.is_command());
            let commands = Arc::new(commands.map(|script| script.name.to_string()).collect());
            *self.loaded.write() = Arc::new(Loaded { scripts, commands });
        }
        (events, if unsettled { Look::Again } else { Look::Settled })
    }

    /// The files that are scripts by their names. A name in both folders is the script folder's.
    fn script_files(
        &self,
        too_many: &mut bool,
        events: &mut Vec<ScriptEvent>,
    ) -> BTreeMap<ScriptName, ScriptFile> {
        let mut files = BTreeMap::new();
        for (dir, in_script_dir) in [(self.dir.clone(), true), (self.dir.join(FUNCTIONS_DIR), false)] {
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
                    // Told once, and not at every look.
                    if !std::mem::replace(too_many, true) {
                        let problem =
                            format!("there are more than {MAX_SCRIPTS} scripts; this one is left out");
                        events.push(ScriptEvent::Rejected { file: self.relative(&path), problem });
                    }
                    return files;
                }
                files.insert(name, ScriptFile { path, in_script_dir });
            }
        }
        *too_many = false;
        files
    }

    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.dir).unwrap_or(path).display().to_string()
    }

    /// `None` when the file is as it was, is gone again already, or may be half-written.
    fn load_if_changed(
        &self,
        name: &ScriptName,
        file: &ScriptFile,
        known: &mut Files,
        doubt: Doubt,
    ) -> Option<Result<Script, String>> {
        let (source, hash) = match read_bounded(&file.path) {
            Ok(source) => {
                let hash = self.hasher.hash_one(&source);
                (Ok(source), hash)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                let problem = format!("{}: can't be read: {error}", self.relative(&file.path));
                let hash = self.hasher.hash_one(&problem);
                (Err(problem), hash)
            }
        };
        if known.seen.get(&file.path) == Some(&hash) {
            known.doubtful.remove(&file.path);
            return None;
        }
        let result = source.and_then(|source| {
            let script = load(name, &source, file.in_script_dir).map_err(|error| error.to_string())?;
            if script.is_command() || script.is_function() { Ok(script) } else { Err(file.useless(name)) }
        });
        let believed =
            result.is_ok() || doubt == Doubt::Believe || known.doubtful.get(&file.path) == Some(&hash);
        if !believed {
            known.doubtful.insert(file.path.clone(), hash);
            return None;
        }
        known.doubtful.remove(&file.path);
        known.seen.insert(file.path.clone(), hash);
        Some(result)
    }
}

struct ScriptFile {
    path: PathBuf,
    in_script_dir: bool,
}

impl ScriptFile {
    /// Why nobody could call it.
    fn useless(&self, name: &ScriptName) -> String {
        let missing = if self.in_script_dir {
            "defines neither handle(args) nor call(request)"
        } else {
            "defines no call(request), and scripts in functions/ are data functions only"
        };
        format!("{}: {missing}: nobody can call it", name.file_name())
    }
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
    let (header, source) = (Header::parse(source), source.to_vec());
    Ok(Script {
        name: name.clone(),
        header,
        program,
        traced: OnceLock::new(),
        trace_begun: AtomicBool::new(false),
        source,
        in_script_dir,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_script(source: &str) -> (tempfile::TempDir, PathBuf, Registry) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.lua");
        fs::write(&file, source).unwrap();
        let registry = Registry::new(dir.path().to_owned());
        assert_eq!(registry.sync(Doubt::Believe).1, Look::Settled);
        (dir, file, registry)
    }

    /// A look that fell into a save once told the owner of an error that nobody had made.
    #[test]
    fn what_may_be_half_a_save_is_believed_when_a_second_look_finds_it_again() {
        let (_dir, file, registry) = one_script("function handle() end");
        fs::write(&file, "function hand").unwrap();
        assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Again));
        fs::write(&file, "function handle(args) end").unwrap();
        let loaded = ScriptEvent::Loaded { name: "a".to_owned() };
        assert_eq!(registry.sync(Doubt::Wait), (vec![loaded], Look::Settled));
        fs::write(&file, "function hand").unwrap();
        assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Again));
        let (events, look) = registry.sync(Doubt::Wait);
        assert!(matches!(events.as_slice(), [ScriptEvent::Rejected { .. }]), "{events:?}");
        assert_eq!(look, Look::Settled);
        assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Settled), "told once");
        assert!(registry.get("a").is_some(), "the last good version stays");
    }

    #[test]
    fn a_file_that_is_gone_for_a_moment_keeps_its_script() {
        let (_dir, file, registry) = one_script("function handle() end");
        let source = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Again));
        assert!(registry.get("a").is_some());
        fs::write(&file, source).unwrap();
        assert_eq!(registry.sync(Doubt::Wait).1, Look::Settled);
        fs::remove_file(&file).unwrap();
        assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Again));
        let removed = ScriptEvent::Removed { name: "a".to_owned() };
        assert_eq!(registry.sync(Doubt::Wait), (vec![removed], Look::Settled));
        assert!(registry.get("a").is_none());
    }
}
