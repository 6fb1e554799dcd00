//! Runs the examples: as a peer's script once for each line `-- !name args` (a chat command) and `-- call name
//! JSON` (a data function), without such a line as a program of its own.
//!
//! `--> text` is the next line that it prints, replies or returns, `--! text` is how it ends; below such a line,
//! in that call.

use std::path::{Path, PathBuf};

use goop2::peer_id::PeerId;
use goop2::script::{Caller, Runner, RunnerError, Surroundings, reply_text};
use goop2::vm::{Entry, Limits, Outcome};

use super::page::{Block, blocks, examples};
use super::ran::{Ran, run_plain};

fn caller(id: &str, label: &str) -> Caller {
    Caller { peer: PeerId::parse(id).unwrap(), label: label.to_owned() }
}

/// Runs `source` as the script `name` of a peer.
pub(super) fn run_as_script(name: &str, source: &str, entry: Entry) -> Ran {
    let peer_dir = tempfile::tempdir().unwrap();
    make_tables(peer_dir.path());
    let surroundings = Surroundings {
        caller: caller("12D3KooWVisitor", "Ada"),
        own: caller("12D3KooWHost", "the quiz peer"),
        peer_dir: Some(peer_dir.path().to_owned()),
        script_dir: None,
        commands: vec!["about".to_owned(), "help".to_owned()],
        limits: Limits::default(),
        kv_enabled: true,
        #[cfg(feature = "http")]
        http: Some(goop2::script::HttpClient::new()),
    };
    let file = PathBuf::from(format!("{name}.lua"));
    let result = match Runner::load(&file, source.as_bytes(), surroundings) {
        Ok(runner) => runner.run(entry).0,
        Err(RunnerError::Load(error)) => return Ran::not_loaded(&error),
        Err(error) => panic!("{error}"),
    };
    match result {
        Ok(Outcome::Reply(reply)) => Ran::printed(reply.map(|bytes| reply_text(&bytes)).unwrap_or_default()),
        Ok(Outcome::Result(result)) => Ran::printed(result.to_string()),
        Ok(Outcome::Done) => panic!("{name}: no entry point was called"),
        Err(error) => Ran::failed(String::new(), &error),
    }
}

/// The tables that the page says its examples read.
#[cfg(feature = "db")]
fn make_tables(peer_dir: &Path) {
    let connection = rusqlite::Connection::open(peer_dir.join("data.db")).unwrap();
    for block in blocks().iter().filter(|block| block.info == "sql") {
        connection.execute_batch(&block.text).unwrap();
    }
}

#[cfg(not(feature = "db"))]
fn make_tables(_: &Path) {}

/// Runs `source` as `command` asks for: `!name args` or `call name JSON`.
fn run_command(command: &str, source: &str) -> Ran {
    let split = |text: &str| {
        let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
        (name.to_owned(), rest.to_owned())
    };
    match command.strip_prefix('!') {
        Some(command) => {
            let (name, args) = split(command);
            run_as_script(&name, source, Entry::Handle(args))
        }
        None => {
            let (name, params) = split(command.trim_start_matches("call "));
            run_as_script(&name, source, Entry::Call(serde_json::from_str(&params).unwrap()))
        }
    }
}

/// How the example is to be run, and what it says that it gives then.
fn runs(example: &Block) -> Vec<(Option<&str>, String)> {
    let mut runs: Vec<(Option<&str>, String)> = vec![(None, String::new())];
    for line in example.text.lines() {
        match line.strip_prefix("-- ").filter(|rest| rest.starts_with('!') || rest.starts_with("call ")) {
            Some(command) => runs.push((Some(command), String::new())),
            None => {
                let says = &mut runs.last_mut().unwrap().1;
                says.push_str(line);
                says.push('\n');
            }
        }
    }
    if runs.len() > 1 {
        let (_, before) = runs.remove(0);
        assert!(!before.contains("-->"), "docs/lua.md:{}: says what it gives too early", example.line);
    }
    runs
}

/// What follows `mark` on each line that has it.
fn after(text: &str, mark: &str) -> Vec<String> {
    let marked = text.lines().filter_map(|line| line.split_once(mark));
    marked.map(|(_, rest)| rest.strip_prefix(' ').unwrap_or(rest).to_owned()).collect()
}

#[test]
fn every_example_gives_what_it_says() {
    let needs_database = |example: &Block| example.text.contains("goop.db");
    let mut report = String::new();
    for example in examples() {
        if needs_database(&example) && !cfg!(feature = "db") {
            continue;
        }
        for (command, says) in runs(&example) {
            let ran = match command {
                Some(command) => run_command(command, &example.text),
                None => run_plain(&example.text, Limits::default()),
            };
            let printed: Vec<String> = ran.printed.lines().map(str::to_owned).collect();
            let ended: Vec<String> = ran.error.into_iter().collect();
            let expected = (after(&says, "-->"), after(&says, "--!"));
            if expected != (printed.clone(), ended.clone()) {
                report += &format!(
                    "docs/lua.md:{}:\n  says  {expected:#?}\n  gives {printed:#?} {ended:#?}\n",
                    example.line
                );
            }
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn an_example_that_does_not_run_says_why() {
    for block in blocks().iter().filter(|block| block.info.starts_with("lua") && block.info != "lua") {
        let reason = block.info.strip_prefix("lua not run: ").unwrap_or_default();
        assert!(!reason.is_empty(), "docs/lua.md:{}: {:?} gives no reason", block.line, block.info);
    }
}
