//! Runs the built program, to its end or as a peer in the background.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest a test waits for anything. Reached only when something is wrong.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The program, with an environment that does not depend on who runs the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_goop2"));
    command.env_remove("GOOP2_LOG").env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

/// How a run ended: exit code, stdout and stderr, checked together.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Stdout as the one JSON value that it has to be.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// Checks the exit code, and that stderr says `reason`.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, reason: &str) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(self.stderr.contains(reason), "{reason:?} is missing: {self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }
}

/// Runs `goop2` with these arguments to its end.
pub(crate) fn goop2<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    finished(program().args(args))
}

/// As [`goop2`], with `input` on stdin.
pub(crate) fn goop2_with_input(args: &[&str], input: &str) -> Ran {
    let mut command = program();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    ran(child.wait_with_output().unwrap())
}

pub(crate) fn finished(command: &mut Command) -> Ran {
    ran(command.output().unwrap())
}

fn ran(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A file or folder of `fixtures/`.
pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

/// A new peer folder from a template, in a temporary folder.
pub(crate) fn new_peer(template: &str) -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("peer");
    goop2(["new", dir.to_str().unwrap(), "--template", template]).succeeded();
    // Peers of tests that run at the same time must not find each other.
    let file = dir.join("goop.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    config["p2p"]["mdns"] = false.into();
    std::fs::write(&file, config.to_string()).unwrap();
    (temp, dir)
}

/// The program in the background. Killed when dropped.
pub(crate) struct Background {
    child: Child,
    lines: Receiver<String>,
    log: Receiver<String>,
    /// What of stderr was taken from `log`.
    logged: RefCell<String>,
}

impl Background {
    /// Starts `goop2` with these arguments.
    pub(crate) fn start<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self::spawn(program().args(args))
    }

    /// Starts any program.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().try_for_each(|line| sender.send(line.unwrap())));
        let (sender, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            let mut lines = stderr.split(b'\n').map_while(Result::ok);
            lines.try_for_each(|line| sender.send(String::from_utf8_lossy(&line).into_owned()))
        });
        Self { child, lines, log, logged: RefCell::default() }
    }

    /// The program's stdin, if it was started with one; once.
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// The next line of stdout that `wanted` takes; others are passed over.
    pub(crate) fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let line = self.next_line(deadline).expect("the program ended before the line");
            if wanted(&line) {
                return line;
            }
        }
    }

    /// The next line of stderr that has `part`; others are passed over.
    pub(crate) fn logged(&self, part: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let line = self.next_logged(deadline).expect("the program ended before the line");
            if line.contains(part) {
                return line;
            }
        }
    }

    fn next_logged(&self, deadline: Instant) -> Option<String> {
        let line = Self::next_of(&self.log, deadline)?;
        *self.logged.borrow_mut() += &format!("{line}\n");
        Some(line)
    }

    fn next_line(&self, deadline: Instant) -> Option<String> {
        Self::next_of(&self.lines, deadline)
    }

    /// `None` when the program has closed its stdout or stderr.
    fn next_of(lines: &Receiver<String>, deadline: Instant) -> Option<String> {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing came within {DEADLINE:?}"),
        }
    }

    /// Asks the program to stop as the system does; gives what it had left to say.
    pub(crate) fn stop(mut self) -> Ran {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let deadline = Instant::now() + DEADLINE;
        let mut stdout = String::new();
        while let Some(line) = self.next_line(deadline) {
            stdout = stdout + &line + "\n";
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        while self.next_logged(deadline).is_some() {}
        Ran { code, stdout, stderr: self.logged.take() }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `goop2 peer --json` in the background.
pub(crate) struct RunningPeer {
    process: Background,
    pub(crate) ready: Value,
}

impl RunningPeer {
    /// Starts the peer of a folder on this machine only and waits until it is ready.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &["--listen", "/ip4/127.0.0.1/tcp/0"])
    }

    /// As [`RunningPeer::start`], with other arguments.
    pub(crate) fn start_with(dir: &Path, args: &[&str]) -> Self {
        let process = Background::start([&["peer", dir.to_str().unwrap(), "--json"], args].concat());
        let ready = event(&process.line(|_| true));
        assert_eq!(ready["event"], "ready");
        Self { process, ready }
    }

    /// The peer's first address.
    pub(crate) fn address(&self) -> &str {
        self.ready["addrs"][0].as_str().unwrap()
    }

    /// The next event that `wanted` takes; others are passed over.
    pub(crate) fn event(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        event(&self.process.line(|line| wanted(&event(line))))
    }

    /// The next line of the peer's log that has `part`; others are passed over.
    pub(crate) fn logged(&self, part: &str) -> String {
        self.process.logged(part)
    }

    /// Asks the peer to stop; gives what it had left to say.
    pub(crate) fn stop(self) -> Ran {
        self.process.stop()
    }
}

fn event(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
