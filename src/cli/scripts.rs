//! The script files of a folder, compiled and not run.
//!
//! The engine's own registry is made to be kept and watched; here the files are looked at once, and
//! what the registry passes over in silence (a file whose name is no script's) is a finding.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use goop2::config::Config;
use goop2::script::{Header, HeaderProblem, PASSED_OVER, SCRIPT_FILE_RULE, ScriptName, nobody_can_call};
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
        let mut found = Found::default();
        found.look(&script_dir);
        let functions = script_dir.join(FUNCTIONS_DIR);
        found.look(&functions);
        let mut scripts = found.inspected();
        for script in scripts.0.iter_mut().filter(|script| script.file.parent() == Some(&functions)) {
            if let Some(name) = ScriptName::of_file(&script.file)
                && script_dir.join(name.file_name()).is_file()
            {
                script.interfaces.clear();
                script.problem(format!("{}: is not loaded: {PASSED_OVER}", name.file_name()), None);
            }
        }
        scripts
    }

    /// The scripts anywhere below the folder `dir`.
    pub(crate) fn below(dir: &Path) -> Self {
        let mut folders = vec![(dir.to_owned(), 1)];
        let mut found = Found::default();
        while let Some((folder, depth)) = folders.pop() {
            for entry in found.look(&folder) {
                // Links are not followed: they can lead round in a circle.
                if fs::symlink_metadata(&entry).is_ok_and(|kind| kind.is_dir()) && depth < MAX_DEPTH {
                    folders.push((entry, depth + 1));
                }
            }
        }
        found.files.sort();
        found.inspected()
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

/// What a look into folders found.
#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    /// Folders of which it is not known what is in them.
    unreadable: Vec<ScriptReport>,
}

impl Found {
    /// Takes what is called `.lua` directly in a folder, sorted; hidden files are no scripts, nor are links to
    /// nothing. Gives all that is in it.
    fn look(&mut self, dir: &Path) -> Vec<PathBuf> {
        let all = entries(dir).unwrap_or_else(|error| {
            let mut report = ScriptReport::empty(dir);
            report.problem(format!("{}: can't be read: {error}", file_name(dir)), None);
            self.unreadable.push(report);
            Vec::new()
        });
        let is_script = |path: &&PathBuf| {
            path.extension().is_some_and(|e| e.eq_ignore_ascii_case("lua")) && path.exists()
        };
        let mut files: Vec<_> = all.iter().filter(is_script).cloned().collect();
        files.sort();
        self.files.extend(files);
        all
    }

    fn inspected(self) -> Scripts {
        let files = self.files.iter().take(MAX_SCRIPTS).map(|file| inspect(file));
        Scripts(self.unreadable.into_iter().chain(files).collect())
    }
}

/// What is in a folder, without hidden things; nothing if there is no such folder.
fn entries(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries?,
    };
    let hidden = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with('.'))
    };
    Ok(entries.flatten().map(|entry| entry.path()).filter(|path| !hidden(path)).collect())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

impl ScriptReport {
    /// Nothing is known of `file` yet.
    fn empty(file: &Path) -> Self {
        Self {
            name: file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
            file: file.to_owned(),
            interfaces: Vec::new(),
            description: String::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn problem(&mut self, message: String, line: Option<u64>) {
        self.problems.push(Problem { message, line });
    }
}

/// Reads and compiles one script.
pub(crate) fn inspect(file: &Path) -> ScriptReport {
    let mut report = ScriptReport::empty(file);
    let Some(name) = ScriptName::of_file(file) else {
        report.problem(format!("{}: is not loaded: {SCRIPT_FILE_RULE}", file_name(file)), None);
        return report;
    };
    // Before it is opened: to open a pipe would wait for its other end.
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        report.problem(format!("{}: is not loaded: a script is a plain file", name.file_name()), None);
        return report;
    }
    let source = match read(file) {
        Ok(source) => source,
        Err(error) => {
            report.problem(format!("{}: can't be read: {error}", name.file_name()), None);
            return report;
        }
    };
    let header = Header::parse(&source);
    report.description = header.description;
    let warning = |HeaderProblem { line, message }| Problem {
        message: format!("{}:{line}: {message}", name.file_name()),
        line: Some(line),
    };
    report.warnings = header.problems.into_iter().map(warning).collect();
    match Program::compile(&name.file_name(), &source) {
        Err(error) => report.problem(error.to_string(), error.line()),
        Ok(program) => {
            let in_script_dir = !is_function_only(file);
            report.interfaces = interfaces(in_script_dir, program.entries());
            if report.interfaces.is_empty() {
                report.problem(nobody_can_call(&name, in_script_dir), None);
            }
        }
    }
    report
}

/// The script itself if it answers in the chat: what `goop.commands()` gives where there is no peer.
pub(crate) fn command_name(file: &Path, source: &[u8]) -> Vec<String> {
    let Some(name) = ScriptName::of_file(file) else { return Vec::new() };
    let program = Program::compile_traced(&name.file_name(), source);
    if program.is_ok_and(|program| program.entries().handle) { vec![name.to_string()] } else { Vec::new() }
}

/// Whether what is in this file is a data function by its folder.
fn is_function_only(file: &Path) -> bool {
    file.parent().and_then(Path::file_name).is_some_and(|folder| folder == FUNCTIONS_DIR)
}

fn interfaces(in_script_dir: bool, entries: Entries) -> Vec<&'static str> {
    let mut interfaces = Vec::new();
    if entries.handle && in_script_dir {
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
