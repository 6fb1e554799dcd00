//! Scripts that carry their expectation: every `scripts/AREA/NAME.lua` says in its header what it prints and
//! how it ends, is run here, and unless it says otherwise also by the reference interpreter.
//!
//! The header is the comment lines at the top:
//! - `-- expect: LINE`: the next line that the script prints, as Lua 5.1 prints it (tabs between the values);
//! - `-- expect-error: TEXT`: the error that nobody caught, whole;
//! - `-- kind: KIND`: how the script ends otherwise: `runtime`, `timeout`, `memory`, `limit`, `syntax`;
//! - `-- reference: no REASON`: the reference interpreter is not asked, because the script is about something
//!   that differs from it on purpose.
//!
//! Expectations in a separate file would be one more thing to open for every failure; comparing with the
//! reference interpreter alone would test nothing on a machine without it.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use goop2::vm::{Entry, Limits, LoadError, Machine, Program};

/// Scripts that do not give what they should yet, by reason. One that begins to pass fails the
/// test until its line is removed, so that the list only says what is true.
const KNOWN_DIFFERENCES: &[(&str, &[&str])] = &[
    ("a loop of `__index` tables is followed until the time is over", &["language/index-loop.lua"]),
    ("the VM runs a loop from the smallest integer 0 times", &["language/numeric-for-mininteger.lua"]),
    ("a step of 0 runs 0 times", &["language/numeric-for-step-zero.lua"]),
];

/// Scripts in the folder are for these tests; a new folder needs a test.
const AREAS: &[&str] = &["base", "errors", "language", "math", "os", "string", "table"];

/// More than any script here needs, and little enough that a loop by mistake ends soon.
const LIMITS: Limits = Limits { time: Duration::from_secs(3), memory_bytes: 10 * 1024 * 1024 };

/// The command of the interpreter whose behaviour is the model.
const REFERENCE: &str = "lua5.1";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vm-tests/scripts")
}

/// A line that the header expects, with the number of the header line.
struct Expected {
    line: usize,
    text: String,
}

/// A script and what its header says.
struct Script {
    /// `AREA/NAME.lua`.
    name: String,
    path: PathBuf,
    source: Vec<u8>,
    printed: Vec<Expected>,
    error: Option<Expected>,
    kind: Option<Expected>,
    compared: bool,
}

impl Script {
    fn read(area: &str, path: PathBuf) -> Self {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = fs::read(&path).unwrap();
        let mut script = Self {
            name: format!("{area}/{file}"),
            path,
            source: source.clone(),
            printed: Vec::new(),
            error: None,
            kind: None,
            compared: true,
        };
        for (line, text) in (1..).zip(String::from_utf8_lossy(&source).lines()) {
            let Some(comment) = text.strip_prefix("-- ").or_else(|| text.strip_prefix("--")) else { break };
            script.header_line(line, comment);
        }
        let says_something = !script.printed.is_empty() || script.error.is_some() || script.kind.is_some();
        assert!(says_something, "{}: the header expects nothing", script.name);
        script
    }

    fn header_line(&mut self, line: usize, comment: &str) {
        let after = |key: &str| {
            let text = comment.strip_prefix(key)?;
            Some(Expected { line, text: text.strip_prefix(' ').unwrap_or(text).to_owned() })
        };
        if let Some(expected) = after("expect:") {
            self.printed.push(expected);
        } else if let Some(expected) = after("expect-error:") {
            self.error = Some(expected);
        } else if let Some(expected) = after("kind:") {
            self.kind = Some(expected);
        } else if let Some(reason) = after("reference: no") {
            assert!(!reason.text.is_empty(), "{}:{line}: the reason is missing", self.name);
            self.compared = false;
        }
    }

    fn file_name(&self) -> String {
        self.path.file_name().unwrap().to_string_lossy().into_owned()
    }

    /// What is wrong with how the script ran; nothing when all is as expected.
    fn problems(&self, ran: &Ran) -> Vec<String> {
        let mut problems = Vec::new();
        let longer = ran.printed.len().max(self.printed.len());
        for index in 0..longer {
            let (expected, found) = (self.printed.get(index), ran.printed.get(index));
            if expected.map(|e| &e.text) != found {
                let line = expected.map_or(self.printed.len() + 1, |e| e.line);
                let show = |text: Option<&String>| text.map_or("nothing".to_owned(), |t| format!("{t:?}"));
                problems.push(format!(
                    "{}:{line}: expected {}, found {}",
                    self.name,
                    show(expected.map(|e| &e.text)),
                    show(found)
                ));
            }
        }
        if self.error.as_ref().map(|e| &e.text) != ran.error.as_ref()
            && (self.error.is_some() || self.kind.is_none())
        {
            let (line, text) = self.error.as_ref().map_or((1, "no error"), |e| (e.line, e.text.as_str()));
            problems.push(format!("{}:{line}: expected {text:?}, found {:?}", self.name, ran.error));
        }
        let kind = self.kind.as_ref().map(|k| (k.line, k.text.as_str()));
        if let (Some((line, expected)), found) = (kind, ran.kind)
            && Some(expected) != found
        {
            problems.push(format!("{}:{line}: expected the kind {expected}, found {found:?}", self.name));
        }
        problems
    }
}

/// How a script ran.
struct Ran {
    printed: Vec<String>,
    error: Option<String>,
    kind: Option<&'static str>,
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
}

fn run(script: &Script) -> Ran {
    let program = match Program::compile(&script.file_name(), &script.source) {
        Ok(program) => program,
        Err(error) => {
            let kind = if matches!(error, LoadError::Internal { .. }) { "internal" } else { "syntax" };
            return Ran { printed: Vec::new(), error: Some(error.to_string()), kind: Some(kind) };
        }
    };
    let printed = Rc::new(RefCell::new(Vec::new()));
    let sink = printed.clone();
    let print = move |line: &[u8]| {
        sink.borrow_mut().extend_from_slice(line);
        sink.borrow_mut().push(b'\n');
    };
    let outcome = Machine::new(&program, Entry::Chunk, LIMITS, print)
        .and_then(|mut machine| machine.run(|_| unreachable!("nothing here waits")));
    let printed = lines(&printed.borrow());
    match outcome {
        Ok(_) => Ran { printed, error: None, kind: None },
        Err(error) => Ran { printed, error: Some(error.to_string()), kind: Some(error.kind()) },
    }
}

/// Runs the script as the reference does: in its folder, so that messages name the file alone.
fn run_reference(script: &Script) -> Ran {
    let output = Command::new(REFERENCE)
        .arg(script.file_name())
        .current_dir(script.path.parent().unwrap())
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let message = stderr.split("\nstack traceback:").next().unwrap_or_default().trim_end();
    let message = message.strip_prefix(&format!("{REFERENCE}: ")).unwrap_or(message);
    let failed = !output.status.success();
    let printed = lines(&output.stdout).iter().map(|line| names_behind(line)).collect();
    Ran { printed, error: failed.then(|| names_behind(message)), kind: None }
}

/// Lua 5.1 says `index field 'a' (a nil value)`, its successors and we `index a nil value (field
/// 'a')`: the same facts, in an order that reads well with and without a name.
fn names_behind(message: &str) -> String {
    for what in ["local", "upvalue", "global", "field", "method"] {
        let named = message.strip_suffix(" value)").and_then(|rest| {
            let (head, rest) = rest.split_once(&format!(" {what} '"))?;
            let (name, kind) = rest.split_once("' (a ")?;
            Some(format!("{head} a {kind} value ({what} '{name}')"))
        });
        if let Some(named) = named {
            return named;
        }
    }
    message.to_owned()
}

fn scripts(area: &str) -> Vec<Script> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder().join(area)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no scripts in {area}");
    paths.into_iter().map(|path| Script::read(area, path)).collect()
}

fn is_known_difference(script: &Script) -> bool {
    KNOWN_DIFFERENCES.iter().any(|(_, names)| names.contains(&script.name.as_str()))
}

fn check_area(area: &str) {
    let mut report = String::new();
    for script in scripts(area) {
        let problems = script.problems(&run(&script));
        match (is_known_difference(&script), problems.is_empty()) {
            (false, true) | (true, false) => {}
            (false, false) => report.extend(problems.iter().map(|problem| format!("{problem}\n"))),
            (true, true) => {
                writeln!(report, "{}: passes now; remove it from KNOWN_DIFFERENCES", script.name).unwrap();
            }
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn base_scripts_give_what_they_expect() {
    check_area("base");
}

#[test]
fn error_scripts_give_what_they_expect() {
    check_area("errors");
}

#[test]
fn language_scripts_give_what_they_expect() {
    check_area("language");
}

#[test]
fn math_scripts_give_what_they_expect() {
    check_area("math");
}

#[test]
fn os_scripts_give_what_they_expect() {
    check_area("os");
}

#[test]
fn string_scripts_give_what_they_expect() {
    check_area("string");
}

#[test]
fn table_scripts_give_what_they_expect() {
    check_area("table");
}

#[test]
fn every_folder_of_scripts_has_a_test_and_every_known_difference_a_script() {
    let mut found: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, AREAS);
    for name in KNOWN_DIFFERENCES.iter().flat_map(|(_, names)| *names) {
        assert!(folder().join(name).is_file(), "{name} is in the list of known differences, but no script");
    }
}

/// That the expectations are real: the reference interpreter prints and raises the same.
#[test]
#[expect(clippy::print_stderr, reason = "a test that compares nothing must say so")]
fn the_reference_interpreter_gives_what_scripts_expect() {
    if let Err(error) = Command::new(REFERENCE).arg("-v").output() {
        eprintln!("skipped: {REFERENCE} does not start ({error}), so expectations are not compared with it");
        return;
    }
    let mut report = String::new();
    for mut script in AREAS.iter().flat_map(|area| scripts(area)).filter(|script| script.compared) {
        let ran = run_reference(&script);
        for (expected, found) in script.printed.iter_mut().zip(&ran.printed) {
            forget_name(&mut expected.text, found);
        }
        for problem in script.problems(&Ran { kind: ran_kind(&script, &ran), ..ran }) {
            writeln!(report, "{REFERENCE}: {problem}").unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// The reference can't name a function that `pcall` calls directly: `bad argument #1 to '?' (…)`.
fn forget_name(expected: &mut String, found: &str) {
    let Some((before, _)) = found.split_once("to '?'") else { return };
    let Some((_, after)) =
        expected.strip_prefix(before).and_then(|rest| rest.strip_prefix("to '")?.split_once('\''))
    else {
        return;
    };
    *expected = format!("{before}to '?'{after}");
}

/// The reference knows no kinds: an expected runtime or syntax error is one when it failed at all.
fn ran_kind(script: &Script, ran: &Ran) -> Option<&'static str> {
    let expected = script.kind.as_ref().map(|kind| kind.text.as_str());
    match (expected, &ran.error) {
        (Some("runtime"), Some(_)) => Some("runtime"),
        (Some("syntax"), Some(_)) => Some("syntax"),
        _ => None,
    }
}
