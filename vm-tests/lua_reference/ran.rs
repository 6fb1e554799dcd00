//! How a program ran, here and in the reference interpreter, in a form that can be compared.

use std::cell::RefCell;
use std::fs;
use std::process::Command;
use std::rc::Rc;

use goop2::vm::{Entry, Limits, LoadError, Machine, Program, RunError};

/// The file that a program of the page is said to be.
const FILE: &str = "example.lua";

/// Loads the program as a file of its own, so that one that does not load is told from one that fails.
const LOADER: &str = r#"
local program, problem = loadfile("example.lua")
if not program then
    io.stderr:write(problem, "\n")
    os.exit(3)
end
program()
"#;

/// How a program ran.
#[derive(Debug, PartialEq)]
pub(super) struct Ran {
    pub(super) loaded: bool,
    /// Whether a final limit ended it.
    pub(super) stopped: bool,
    pub(super) printed: String,
    pub(super) error: Option<String>,
}

impl Ran {
    pub(super) fn printed(text: String) -> Self {
        Self { loaded: true, stopped: false, printed: text, error: None }
    }

    pub(super) fn not_loaded(error: &LoadError) -> Self {
        Self { loaded: false, stopped: false, printed: String::new(), error: Some(error.to_string()) }
    }

    pub(super) fn failed(printed: String, error: &RunError) -> Self {
        let stopped = matches!(error.kind(), "timeout" | "memory" | "limit");
        Self { loaded: true, stopped, printed, error: Some(error.to_string()) }
    }

    /// What it printed, and its last message without the place.
    pub(super) fn text(&self) -> String {
        let mut lines: Vec<&str> = self.printed.lines().collect();
        lines.extend(self.error.as_deref().map(without_place));
        lines.join("\n")
    }
}

/// A message without the `example.lua:1: ` at its head.
fn without_place(message: &str) -> &str {
    let rest = message.strip_prefix(FILE).and_then(|rest| rest.strip_prefix(':'));
    match rest.and_then(|rest| rest.split_once(": ")) {
        Some((line, rest)) if line.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => message,
    }
}

/// Runs a program here, without `goop`.
pub(super) fn run_plain(source: &str, limits: Limits) -> Ran {
    let program = match Program::compile(FILE, source.as_bytes()) {
        Ok(program) => program,
        Err(error) => return Ran::not_loaded(&error),
    };
    let printed = Rc::new(RefCell::new(String::new()));
    let sink = printed.clone();
    let print = move |line: &[u8]| {
        sink.borrow_mut().push_str(&String::from_utf8_lossy(line));
        sink.borrow_mut().push('\n');
    };
    let result = Machine::new(&program, Entry::Chunk, limits, print)
        .and_then(|mut machine| machine.run(|_| unreachable!("nothing here waits")));
    let printed = printed.take();
    match result {
        Ok(_) => Ran::printed(printed),
        Err(error) => Ran::failed(printed, &error),
    }
}

/// Runs a program in the reference interpreter.
pub(super) fn run_reference(source: &str) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), source).unwrap();
    fs::write(dir.path().join("load.lua"), LOADER).unwrap();
    let output = Command::new("lua5.1")
        .arg("load.lua")
        .current_dir(dir.path())
        .env("TZ", "UTC")
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    let message = message.split("\nstack traceback:").next().unwrap_or_default().trim_end();
    let message = message.strip_prefix("lua5.1: ").unwrap_or(message);
    Ran {
        loaded: output.status.code() != Some(3),
        stopped: false,
        printed: String::from_utf8_lossy(&output.stdout).into_owned(),
        error: (!output.status.success()).then(|| message.to_owned()),
    }
}
