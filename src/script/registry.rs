//! The scripts of a peer: name to program, the last good version kept.
//!
//! [`Registry::sync`] compares the folder with what is loaded and makes up the difference. It is
//! the only way in: the first load, an editor's save, a rename, a deleted and recreated folder
//! and a missed event are all the same operation, where reacting to each kind of file event would
//! need a case for each editor.
//!
//! A look can fall into the middle of a save: the file is cut off, empty, or gone for a moment. What
//! would make a script worse (it does not load any more, or is no more) is therefore believed only when
//! a second look finds the same. And a folder that can't be read has said nothing: only one that is not
//! there has no scripts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};

use crate::script::header::Header;
use crate::script::name::ScriptName;
use crate::script::script_files::{FUNCTIONS_DIR, Found, ScriptFile};
use crate::vm::{LoadError, MAX_SOURCE_BYTES, Program};

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
    /// Its file can't be used; the last good version, if there is one, goes on answering. Told of a folder
    /// that can't be read too, whose scripts all stay.
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
    /// Folders that could not be read: told once, and not at every look.
    unreadable: BTreeSet<PathBuf>,
}

impl Files {
    /// Whether the owner is to be told of what was found in a file: it is not what was found before, and
    /// not half a save.
    fn is_news(&mut self, path: &Path, hash: u64, is_good: bool, doubt: Doubt) -> bool {
        if self.seen.get(path) == Some(&hash) {
            self.doubtful.remove(path);
            return false;
        }
        if !is_good && doubt == Doubt::Wait && self.doubtful.get(path) != Some(&hash) {
            self.doubtful.insert(path.to_owned(), hash);
            return false;
        }
        self.doubtful.remove(path);
        self.seen.insert(path.to_owned(), hash);
        true
    }
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
        let mut scripts = self.loaded().scripts.clone();
        let found = Found::look(&self.dir, |name| scripts.contains_key(name));
        let mut events = self.tell_unreadable(&found, &mut known);
        let is_unknown = |dir: &Path| found.unreadable.iter().any(|(unreadable, _)| unreadable == dir);
        if is_unknown(&self.dir) {
            return (events, Look::Settled);
        }
        for (name, file) in &found.files {
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
        for unusable in &found.unusable {
            let hash = self.hasher.hash_one(&unusable.problem);
            if known.is_news(&unusable.path, hash, false, doubt) {
                let file = self.relative(&unusable.path);
                let problem = format!("{file}: {}", unusable.problem);
                events.push(ScriptEvent::Rejected { file, problem });
            }
        }
        let functions = self.dir.join(FUNCTIONS_DIR);
        let functions_unknown = is_unknown(&functions);
        let files = found.files.values().map(|file| file.path.as_path());
        let there: HashSet<_> = files.chain(found.unusable.iter().map(|file| file.path.as_path())).collect();
        let is_there = |path: &PathBuf| {
            there.contains(path.as_path()) || (functions_unknown && path.starts_with(&functions))
        };
        known.doubtful.retain(|path, _| there.contains(path.as_path()));
        known.seen.retain(|path, _| is_there(path));
        // The file of a script may have become one that can't be used: then the last good version stays.
        let unusable: HashSet<_> =
            found.unusable.iter().filter_map(|unusable| unusable.name.as_ref()).collect();
        let is_gone = |(name, script): &(&ScriptName, &Arc<Script>)| {
            !found.files.contains_key(*name)
                && !unusable.contains(*name)
                && (!functions_unknown || script.in_script_dir)
        };
        let gone: HashSet<_> = scripts.iter().filter(is_gone).map(|(name, _)| name.clone()).collect();
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

    /// Tells, once, of the folders whose scripts stay as they are because nobody knows better.
    fn tell_unreadable(&self, found: &Found, known: &mut Files) -> Vec<ScriptEvent> {
        let now: BTreeSet<_> = found.unreadable.iter().map(|(dir, _)| dir.clone()).collect();
        let before = std::mem::replace(&mut known.unreadable, now);
        let new = found.unreadable.iter().filter(|(dir, _)| !before.contains(dir));
        new.map(|(dir, error)| {
            let file = if *dir == self.dir { dir.display().to_string() } else { self.relative(dir) };
            let problem = format!("{file}: the folder can't be read, its scripts stay as they are: {error}");
            ScriptEvent::Rejected { file, problem }
        })
        .collect()
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
            if script.is_command() || script.is_function() {
                Ok(script)
            } else {
                Err(nobody_can_call(name, file.in_script_dir))
            }
        });
        known.is_news(&file.path, hash, result.is_ok(), doubt).then_some(result)
    }
}

/// Says that the script `name` has no entry point that its folder, the script folder or its `functions/`, would call.
pub fn nobody_can_call(name: &ScriptName, in_script_dir: bool) -> String {
    let missing = if in_script_dir {
        "defines neither handle(args) nor call(request)"
    } else {
        "defines no call(request), and scripts in functions/ are data functions only"
    };
    format!("{}: {missing}: nobody can call it", name.file_name())
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
mod tests;
