//! The script files of a folder, compiled and not run.
//!
//! The engine's own registry is made to be kept and watched; here the files are looked at once, and
//! what the registry passes over in silence (a file whose name is no script's) is a finding.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use goop2::config::Config;
use goop2::script::{Header, HeaderProblem, SCRIPT_FILE_RULE, ScriptName};
use goop2::vm::{Entries, LoadError, MAX_SOURCE_BYTES, Program};
use serde::Serialize;

/// The deepest folder that is searched.
const MAX_DEPTH: usize = 16;

/// The most scripts that are looked at.
const MAX_SCRIPTS: usize = 10_000;

/// Where deployed templates keep data functions: those are no chat commands.
const FUNCTIONS_DIR: &str = "functions";

/// What is known of the scripts of a folder.
pub(crate) struct Scripts(pub(crate) Vec<ScriptReport>);

/// What is known of one script.
#[derive(Debug, Serialize)]
pub(crate) struct ScriptReport {
    pub(crate) name: String,
    #[serde(serialize_with = "as_text")]
    pub(crate) file: PathBuf,
    /// `chat` and `data`, as far as the script answers to them.
    pub(crate) interfaces: Vec<&'static str>,
    pub(crate) description: String,
    pub(crate) problems: Vec<Problem>,
    /// What is not understood and does no harm.
    pub(crate) warnings: Vec<Problem>,
}

/// A path as text, whatever bytes it has: JSON is text, and a name that is not is among what the report is about.
fn as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Something wrong with a script.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) line: Option<u64>,
}

impl Scripts {
    /// The scripts of the peer folder `dir`.
    pub(crate) fn of_peer(dir: &Path, config: &Config) -> Self {
        let script_dir = dir.join(&config.lua.script_dir);
        let mut files = scripts_in(&script_dir);
        files.extend(scripts_in(&script_dir.join(FUNCTIONS_DIR)));
        Self(files.iter().map(|file| inspect(file)).collect())
    }

    /// The scripts anywhere below the folder `dir`.
    pub(crate) fn below(dir: &Path) -> Self {
        let mut folders = vec![(dir.to_owned(), 1)];
        let mut files = Vec::new();
        while let Some((folder, depth)) = folders.pop() {
            files.extend(scripts_in(&folder));
            for entry in entries(&folder) {
                // Links are not followed: they can lead round in a circle.
                if fs::symlink_metadata(&entry).is_ok_and(|kind| kind.is_dir()) && depth < MAX_DEPTH {
                    folders.push((entry, depth + 1));
                }
            }
        }
        files.sort();
        files.truncate(MAX_SCRIPTS);
        Self(files.iter().map(|file| inspect(file)).collect())
    }

    /// The names of all scripts.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|script| script.name.as_str()).collect()
    }

    /// The names of the scripts that answer in the chat.
    pub(crate) fn commands(&self) -> Vec<String> {
        let commands = self.0.iter().filter(|script| script.interfaces.contains(&"chat"));
        commands.map(|script| script.name.clone()).collect()
    }
}

/// What is called `.lua` directly in a folder, sorted; hidden files are no scripts, nor are links to nothing.
fn scripts_in(dir: &Path) -> Vec<PathBuf> {
    let is_script =
        |path: &PathBuf| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("lua")) && path.exists();
    let mut files: Vec<_> = entries(dir).filter(is_script).take(MAX_SCRIPTS).collect();
    files.sort();
    files
}

/// What is in a folder, without hidden things; nothing if it can't be read.
fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let hidden = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with('.'))
    };
    fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).filter(move |p| !hidden(p))
}

/// Reads and compiles one script.
pub(crate) fn inspect(file: &Path) -> ScriptReport {
    let name = ScriptName::of_file(file);
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut problems = Vec::new();
    let mut report = ScriptReport {
        name: stem,
        file: file.to_owned(),
        interfaces: Vec::new(),
        description: String::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let mut problem = |message: String, line| problems.push(Problem { message, line });
    let Some(name) = name else {
        let shown = file.file_name().unwrap_or_default().to_string_lossy();
        problem(format!("{shown}: is not loaded: {SCRIPT_FILE_RULE}"), None);
        return ScriptReport { problems, ..report };
    };
    // Before it is opened: to open a pipe would wait for its other end.
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        problem(format!("{}: is not loaded: a script is a plain file", name.file_name()), None);
        return ScriptReport { problems, ..report };
    }
    match read(file) {
        Err(error) => problem(format!("{}: can't be read: {error}", name.file_name()), None),
        Ok(source) => {
            let header = Header::parse(&source);
            report.description = header.description;
            report.warnings = header
                .problems
                .into_iter()
                .map(|HeaderProblem { line, message }| Problem {
                    message: format!("{}:{line}: {message}", name.file_name()),
                    line: Some(line),
                })
                .collect();
            match Program::compile(&name.file_name(), &source) {
                Err(error) => problem(error.to_string(), error.line()),
                Ok(program) => match interfaces(file, program.entries()) {
                    none if none.is_empty() => {
                        let message = "defines neither handle(args) nor call(request): nobody can call it";
                        problem(format!("{}: {message}", name.file_name()), None);
                    }
                    some => report.interfaces = some,
                },
            }
        }
    }
    ScriptReport { problems, ..report }
}

/// The script itself if it answers in the chat: what `goop.commands()` gives where there is no peer.
pub(crate) fn command_name(file: &Path, source: &[u8]) -> Vec<String> {
    let Some(name) = ScriptName::of_file(file) else { return Vec::new() };
    let program = Program::compile_traced(&name.file_name(), source);
    if program.is_ok_and(|program| program.entries().handle) { vec![name.to_string()] } else { Vec::new() }
}

fn interfaces(file: &Path, entries: Entries) -> Vec<&'static str> {
    let function_only = file.parent().and_then(Path::file_name).is_some_and(|folder| folder == FUNCTIONS_DIR);
    let mut interfaces = Vec::new();
    if entries.handle && !function_only {
        interfaces.push("chat");
    }
    if entries.call {
        interfaces.push("data");
    }
    interfaces
}

/// Reads a script, at most one byte more than one may have: enough to know that it is too large.
pub(crate) fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    refuse_special(&fs::metadata(file)?)?;
    let mut source = Vec::new();
    fs::File::open(file)?.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut source)?;
    Ok(source)
}

/// Refuses pipes, sockets and devices, which nobody means as a script: to open or to read one may wait for ever.
/// The system refuses to read a folder in its own words.
pub(crate) fn refuse_special(kind: &fs::Metadata) -> std::io::Result<()> {
    if kind.is_file() || kind.is_dir() {
        return Ok(());
    }
    Err(std::io::Error::other("it is neither a file nor a folder"))
}

/// The contract's word for why a script does not load.
pub(crate) fn load_error_kind(error: &LoadError) -> &'static str {
    match error {
        LoadError::Syntax { .. } | LoadError::Bytecode { .. } => "syntax",
        LoadError::TooLarge { .. } | LoadError::Shape { .. } => "limit",
        LoadError::Internal { .. } => "internal",
    }
}
