//! The scripts of the specification compile as they are, with the entry points that it gives them; those that
//! need nothing of the peer also run. What the others do is tested where there is a peer.

use std::fs;
use std::path::{Path, PathBuf};

use goop2::vm::{Entry, Limits, Outcome, Program};

use crate::stopped::run;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spec-scripts")
}

/// Each script with whether it defines `handle` and `call`.
const SCRIPTS: &[(&str, bool, bool)] = &[
    ("get-products.lua", false, true),
    ("greet.lua", true, false),
    ("help.lua", true, false),
    ("leaderboard.lua", false, true),
    ("score-quiz.lua", true, true),
    ("time.lua", true, false),
    ("weather-proxy.lua", false, true),
    ("weather.lua", true, false),
];

#[test]
fn each_script_of_the_specification_has_its_entry_points() {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, SCRIPTS.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    for (name, handle, call) in SCRIPTS {
        let program = Program::compile(name, &fs::read(folder().join(name)).unwrap())
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((program.entries().handle, program.entries().call), (*handle, *call), "{name}");
        assert_eq!(program.name(), *name);
    }
}

fn reply(name: &str, args: &str) -> String {
    let source = fs::read(folder().join(name)).unwrap();
    match run(&source, Entry::Handle(args.to_owned()), Limits::default()).result {
        Ok(Outcome::Reply(Some(reply))) => String::from_utf8(reply).unwrap(),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn the_time_is_told_in_its_form() {
    let found = reply("time.lua", "");
    let digits_as_0: String = found.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(digits_as_0, "Current time: 0000-00-00 00:00:00 UTC");
}

#[test]
fn what_needs_no_peer_is_answered() {
    assert_eq!(reply("weather.lua", ""), "Usage: !weather <city>");
    let quiz = "This is a data function. Visit my site to take the quiz.";
    assert_eq!(reply("score-quiz.lua", "anything"), quiz);
}
