//! The command line in one process: help, exit codes, `new`, `kv`, `lua`, `demo`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use snapbox::{assert_data_eq, str};

use crate::cli_support::{DEADLINE, finished, fixture, goop2, goop2_with_input, new_peer, program};

const COMMANDS: [&str; 13] = [
    "demo",
    "new",
    "peer",
    "chat",
    "call",
    "functions",
    "get",
    "data",
    "check",
    "run",
    "lua",
    "kv",
    "config",
];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn entries(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn help_of_every_command_has_an_example_and_no_colour_in_a_pipe() {
    let all = goop2(["--help"]).succeeded();
    assert!(all.stderr.is_empty(), "{all:?}");
    for command in COMMANDS {
        assert!(all.stdout.contains(&format!("\n  {command} ")), "{command} is not listed");
        let help = goop2([command, "--help"]).succeeded().stdout;
        assert!(help.contains(&format!("Example:\n  goop2 {command}")), "{help}");
        assert!(!help.contains('\x1b'), "{help}");
    }
    for later in ["template", "snippet", "help"] {
        goop2([later]).failed(2, "unrecognized subcommand");
    }
}

#[test]
fn wrong_usage_and_unreadable_input_are_2() {
    let (_temp, dir) = new_peer("blank");
    let dir = text(&dir);
    let id = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
    let script = fixture("spec-scripts/greet.lua");
    let script = text(&script);
    for (args, reason) in [
        (vec![], "Usage: goop2"),
        (vec!["fly"], "unrecognized subcommand"),
        (vec!["peer", "/nonexistent"], "is no peer folder"),
        (vec!["peer", dir, "--listen", "here"], "it is no multiaddr"),
        (vec!["peer", dir, "--viewer", "127.0.0.1:0"], "not available in this version"),
        (vec!["demo", "--viewer", "127.0.0.1:0"], "not available in this version"),
        (vec!["chat", "here", "hello"], "it is no multiaddr"),
        (vec!["chat", "/ip4/127.0.0.1/tcp/1", "hello"], "ends in /p2p/ID"),
        (vec!["call", &format!("/ip4/127.0.0.1/tcp/1/p2p/{id}"), "f", "{"], "it is no JSON"),
        (vec!["new", "/tmp/never-made", "--template", "quizz"], "[possible values: blank, quiz]"),
        (vec!["check", "/nonexistent"], "can't be read"),
        (vec!["run", "/nonexistent.lua"], "can't be read"),
        (vec!["run", script, "--call", "{"], "it is no JSON"),
        (vec!["run", script, "args", "--call", "{}"], "cannot be used with"),
        (vec!["run", script, "--timeout", "0"], "from 0.001"),
        (vec!["run", script, "--timeout", "0.0000000001"], "from 0.001"),
        (vec!["run", script, "--as", "nonsense"], "no peer id"),
        (vec!["run", script, "--bogus"], "'--bogus'"),
        (vec!["run", script, "--stat"], "'--stats'"),
        (vec!["run", script, "--memory", "5000"], "from 1 to 1024"),
        (vec!["run", script, "--repeat", "0"], "a whole number from 1 to 4294967295"),
        (vec!["run", script, "--repeat", "1.5"], "a whole number from 1 to 4294967295"),
        (vec!["run", script, "--as", "l0l"], "no peer id"),
        (vec!["run", script, "--peer", "/nonexistent"], "is no peer folder"),
        (vec!["lua", "/nonexistent.lua"], "can't be read"),
        (vec!["kv", "/nonexistent", "weather", "list"], "is no peer folder"),
        (vec!["kv", dir, "../x", "list"], "only letters, digits"),
        (vec!["kv", dir, &"x".repeat(65), "list"], "at most 64 of them"),
    ] {
        let ran = goop2(&args).failed(2, reason);
        assert!(ran.stdout.is_empty(), "{args:?}: {ran:?}");
    }
    fs::write(Path::new(dir).join("goop.json"), r#"{"lua": {"timeout_seconds": 0}}"#).unwrap();
    goop2(["peer", dir]).failed(2, "config: lua.timeout_seconds must be between 1 and 60, found 0");
    let logged = program().args(["check", dir]).env("GOOP2_LOG", "=/=").output().unwrap();
    assert_eq!(logged.status.code(), Some(2));
}

#[test]
fn new_makes_a_peer_and_says_what_to_do_next() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("quiz");
    let made = goop2(["new", text(&dir), "--template", "quiz", "--label", "Ada's"]).succeeded();
    let shown = made.stdout.replace(text(temp.path()), "[TEMP]");
    assert_data_eq!(
        shown,
        str![[r#"
Made the peer [TEMP]/quiz
  id       12D3KooW[..]
  label    Ada's
  site     [TEMP]/quiz/site
  tables   quiz_questions, quiz_answers, scores
  scripts  help, leaderboard, score-quiz (on)

Start it:  goop2 peer [TEMP]/quiz
Change it: [TEMP]/quiz/site/README.md says how

"#]]
    );
    assert_eq!(entries(&dir), ["data", "data.db", "goop.json", "site"]);
    assert_eq!(entries(temp.path()), ["quiz"]);
    let again = goop2(["new", text(&dir)]).failed(1, "is not empty");
    assert!(again.stdout.is_empty());
    goop2(["new", text(&temp.path().join("b")), "--label", &"x".repeat(201)]).failed(2, "profile.label");
    let unseen = "a\nb";
    goop2(["new", text(&temp.path().join("b")), "--label", unseen]).failed(2, "profile.label");
    assert_eq!(entries(temp.path()), ["quiz"]);
}

#[test]
fn the_command_that_new_shows_starts_the_peer_of_any_folder() {
    let temp = tempfile::tempdir().unwrap();
    for (dir, shown) in [("-dash", "./-dash"), ("it's", "'it'\\''s'")] {
        let made = finished(program().current_dir(temp.path()).args(["new", "--", dir])).succeeded();
        assert!(made.stdout.ends_with(&format!("\nStart it:  goop2 peer {shown}\n")), "{made:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_new_peers_key_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_temp, dir) = new_peer("blank");
    let mode = fs::metadata(dir.join("data/identity.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn kv_is_the_owners_way_to_a_scripts_keys() {
    let (_temp, dir) = new_peer("blank");
    fs::copy(fixture("spec-scripts/weather.lua"), dir.join("site/lua/weather.lua")).unwrap();
    let dir = text(&dir);
    let kv = |args: &[&str]| goop2([&["kv", dir, "weather"], args].concat());
    kv(&["set", "api_key", "abc"]).succeeded();
    let from_stdin =
        goop2_with_input(&["kv", dir, "weather.lua", "set", "other"], "two\nlines\r\n").succeeded();
    assert_eq!((from_stdin.stdout.as_str(), from_stdin.stderr.as_str()), ("", ""));
    assert_eq!(kv(&["list"]).succeeded().stdout, "api_key\nother\n");
    assert_eq!(kv(&["get", "api_key"]).succeeded().stdout, "abc\n");
    assert_eq!(kv(&["get", "other"]).succeeded().stdout, "two\nlines\n");
    kv(&["set", "negative", "-1"]).succeeded();
    kv(&["del", "other"]).succeeded();
    kv(&["get", "other"]).failed(1, "weather has no key \"other\"");
    kv(&["del", "other"]).failed(1, "weather has no key \"other\"");
    let large = goop2_with_input(&["kv", dir, "weather", "set", "big"], &"x".repeat(64 * 1024));
    large.failed(1, "the limit is 64 KB");
    goop2(["kv", dir, "missing", "list"]).succeeded().failed(0, "there is no missing.lua");
}

#[test]
fn lua_runs_a_plain_file() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("plain script.lua");
    let run = |source: &str, more: &[&str]| {
        fs::write(&file, source).unwrap();
        goop2([&["lua", text(&file)], more].concat())
    };
    let good = run("#!/usr/bin/lua\nprint('a', 1)\nprint(goop)\nprint(10 / 2)", &[]).succeeded();
    assert_eq!(good.stdout, "a\t1\nnil\n5\n");
    let bad = run("print('before')\nerror('no luck')", &[]).failed(1, "plain script.lua:2: no luck");
    assert_eq!(bad.stdout, "before\n");
    run("local x 1", &[]).failed(1, "plain script.lua:1: ");
    run("while true do end", &["--timeout", "0.2"]).failed(1, "ran longer than 0.2 s");
    run("local t = {} while true do t[#t + 1] = {} end", &["--memory", "2"])
        .failed(1, "the limit is 2097152");
}

#[test]
fn the_traceback_of_a_plain_file_stands_behind_its_error() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("plain.lua");
    fs::write(&file, "local function f() error('no') end\nf()").unwrap();
    let ran = goop2(["lua", text(&file)]).failed(1, "");
    let expected =
        "goop2: plain.lua:1: no\ntraceback:\n  plain.lua:1: in function 'f'\n  plain.lua:2: in main chunk\n";
    assert_eq!(ran.stderr, expected);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_stdout() {
    let script = fixture("spec-scripts/greet.lua");
    for args in [&["run"][..], &["run", "--json"], &["check"]] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let child = program().args(args).arg(&script).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.starts_with("goop2: stdout can't be written: "), "{stderr}");
    }
}

/// The reader of a pipe may go at any time; the writer stops then, and does not panic.
#[test]
fn a_closed_pipe_is_no_error() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("chatter.lua");
    fs::write(&file, "while true do print('x') end").unwrap();
    let mut command = program();
    command.arg("lua").arg(&file).args(["--timeout", "3600"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(first, "x\n");
    let mut stderr = String::new();
    let start = Instant::now();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(child.wait().unwrap().success(), "{stderr}");
    assert_eq!(stderr, "");
    assert!(start.elapsed() < DEADLINE);
}

#[test]
fn the_demo_goes_well_and_leaves_the_folder_as_the_template_has_it() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("demo");
    let ran = goop2(["demo", "--once", "--dir", text(&dir)]).succeeded();
    assert!(ran.stdout.ends_with("\nAll 15 exchanges went as they should.\n"), "{ran:#?}");
    assert_eq!(ran.stderr, "", "{ran:#?}");
    for shown in [
        "< text/html; charset=utf-8, ",
        "< the peer refused: forbidden",
        "<   !score-quiz",
        "< Unknown command: !wether. Try !help",
        "< score-quiz: Score a quiz submission",
        r#"< {"passed":true,"score":5,"total":5}"#,
        r#"< {"passed":false,"score":3,"total":5}"#,
        "< score-quiz.lua:8: ",
    ] {
        assert!(ran.stdout.contains(shown), "{shown} is missing: {}", ran.stdout);
    }
    let script = "lua/score-quiz.lua";
    let original =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/quiz").join(script)).unwrap();
    assert!(fs::read(dir.join("site").join(script)).unwrap() == original);
    goop2(["demo", "--once", "--dir", text(&dir)]).failed(1, "is not empty");
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_no_scripts() {
    let temp = tempfile::tempdir().unwrap();
    let pipe = temp.path().join("pipe.lua");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for file in [text(&pipe), "/dev/zero"] {
        for command in ["check", "run", "lua"] {
            goop2([command, file]).failed(2, "neither a file nor a folder");
        }
    }
}
