//! `goop2 check`: what scripts are, and what is wrong with them, without running them.

use std::fs;
use std::path::Path;

use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::cli_support::{fixture, goop2, new_peer};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn check_shows_what_scripts_are_and_where_they_are_wrong() {
    let (_temp, dir) = new_peer("quiz");
    let good = goop2(["check", text(&dir)]).succeeded();
    assert_data_eq!(
        good.stdout,
        str![[r#"
ok  help (chat): List the chat commands of this peer
ok  leaderboard (data): Get the best scores of a quiz
ok  score-quiz (chat and data): Score a quiz submission

"#]]
    );
    let lua = dir.join("site/lua");
    fs::write(lua.join("typo.lua"), "--- Nearly\nfunction handle(args)\n    local x 3\nend\n").unwrap();
    fs::write(lua.join("idle.lua"), "local x = 1\n").unwrap();
    fs::write(lua.join("my script.lua"), "function handle() end\n").unwrap();
    fs::create_dir(lua.join("functions")).unwrap();
    fs::write(lua.join("functions/both.lua"), "function handle() end function call() end").unwrap();
    let bad = goop2(["check", text(&dir), "--json"]).failed(1, "");
    let report = bad.json();
    assert_eq!(report["ok"], false);
    let find = |name: &str| {
        let scripts = report["scripts"].as_array().unwrap();
        scripts.iter().find(|script| script["name"] == name).unwrap().clone()
    };
    assert_eq!(find("typo")["problems"][0]["line"], 3);
    assert_eq!(find("typo")["description"], "Nearly");
    let message = find("typo")["problems"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("typo.lua:3: "), "{message}");
    assert!(find("idle")["problems"][0]["message"].as_str().unwrap().contains("neither handle(args) nor"));
    assert!(find("my script")["problems"][0]["message"].as_str().unwrap().contains("is not loaded"));
    assert_eq!(find("both")["interfaces"], json!(["data"]));
    assert_eq!(find("score-quiz")["interfaces"], json!(["chat", "data"]));
    let shown = goop2(["check", text(&lua.join("typo.lua"))]).failed(1, "").stdout;
    assert!(shown.contains("site/lua/typo.lua:3: "), "{shown}");
}

#[test]
fn check_warns_of_what_a_header_says_and_nobody_understands() {
    let temp = tempfile::tempdir().unwrap();
    let script = temp.path().join("odd.lua");
    fs::write(&script, "--- Odd\n--- @author me\n--- @rate_limit often\nfunction handle() end\n").unwrap();
    let shown = goop2(["check", text(&script)]).succeeded().stdout;
    assert!(shown.contains("odd.lua:2: @author is not a known tag"), "{shown}");
    let report = goop2(["check", text(&script), "--json"]).succeeded().json();
    assert_eq!(report["ok"], true, "a warning is no problem");
    let warnings = report["scripts"][0]["warnings"].as_array().unwrap();
    let lines: Vec<_> = warnings.iter().map(|warning| warning["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [2, 3]);
}

#[test]
fn check_takes_any_folder() {
    let report = goop2(["check", text(&fixture("spec-scripts")), "--json"]).succeeded().json();
    assert_eq!(report["scripts"].as_array().unwrap().len(), 8);
    let hostile = goop2(["check", text(&fixture("hostile"))]).failed(1, "");
    assert!(hostile.stdout.contains("syntax-error.lua:3: "), "{hostile:?}");
    let deployed = goop2(["check", text(&fixture("deployed-peer"))]).succeeded();
    assert!(deployed.stdout.contains("\nok  hello (data): Greet the visitor\n"), "{deployed:?}");
}

/// The peer does not load them, and its owner looks here for why.
#[cfg(unix)]
#[test]
fn check_names_what_is_no_script_by_its_name_or_its_kind() {
    let (_temp, dir) = new_peer("blank");
    let scripts = dir.join("site/lua");
    for name in ["my cmd.lua", "t\u{e9}st.lua", "UPPER.LUA"] {
        fs::write(scripts.join(name), "function handle() end").unwrap();
    }
    fs::create_dir(scripts.join("folder.lua")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(scripts.join("pipe.lua")).status().unwrap().success());
    let report = goop2(["check", text(&dir)]).failed(1, "").stdout;
    for problem in [
        "my cmd.lua: is not loaded: a script's file is named like my-script.lua",
        "t\u{e9}st.lua: is not loaded",
        "UPPER.LUA: is not loaded",
        "folder.lua: is not loaded: a script is a plain file",
        "pipe.lua: is not loaded: a script is a plain file",
    ] {
        assert!(report.contains(problem), "{problem}: {report}");
    }
    goop2(["check", text(&scripts.join("pipe.lua"))]).failed(2, "it is neither a file nor a folder");
}

#[cfg(target_os = "linux")]
#[test]
fn check_reports_a_name_that_is_not_utf8_as_json() {
    use std::os::unix::ffi::OsStrExt;
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.lua"));
    fs::write(&file, "function handle() end").unwrap();
    for path in [file.as_path(), temp.path()] {
        let ran = goop2([Path::new("check").as_os_str(), path.as_os_str(), "--json".as_ref()]).failed(1, "");
        assert!(ran.json()["scripts"][0]["file"].as_str().unwrap().ends_with("caf\u{fffd}.lua"), "{ran:?}");
    }
}

#[test]
fn check_and_run_agree_on_what_can_be_called() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("script.lua");
    for (source, code) in [
        ("handle = 5", 1),
        ("handle = { }", 1),
        ("_G['handle'] = function() end", 0),
        ("rawset(_G, 'handle', tostring)", 0),
    ] {
        fs::write(&file, source).unwrap();
        assert_eq!(goop2(["check", text(&file)]).code, code, "{source}");
        assert_eq!(goop2(["run", text(&file), "x"]).code, code, "{source}");
    }
}

/// What `check` passed over in silence, the peer does not load.
#[cfg(unix)]
#[test]
fn check_tells_of_folders_that_cant_be_read() {
    let (_temp, dir) = new_peer("blank");
    let scripts = dir.join("site/lua");
    // A link to itself can be read by nobody, not even by root.
    std::os::unix::fs::symlink("functions", scripts.join("functions")).unwrap();
    let report = goop2(["check", text(&dir)]).failed(1, "").stdout;
    assert!(
        report.contains("site/lua/functions: can't be read: ") && report.contains("ok  hello"),
        "{report}"
    );
    fs::remove_dir_all(&scripts).unwrap();
    std::os::unix::fs::symlink("lua", &scripts).unwrap();
    let report = goop2(["check", text(&dir), "--json"]).failed(1, "").json();
    let problem = report["scripts"][0]["problems"][0]["message"].as_str().unwrap();
    assert!(problem.starts_with("lua: can't be read: "), "{report}");
}

#[test]
fn check_says_where_there_are_no_scripts() {
    let (_temp, dir) = new_peer("quiz");
    let empty = tempfile::tempdir().unwrap();
    let ran = goop2(["check", text(&dir), text(empty.path())]).succeeded();
    assert_eq!(ran.stderr, format!("there are no scripts in {}\n", text(empty.path())));
    fs::write(dir.join("goop.json"), r#"{"lua": {"script_dir": "scripts"}}"#).unwrap();
    let ran = goop2(["check", text(&dir)]).succeeded();
    assert_eq!(ran.stderr, format!("there are no scripts in {}\n", text(&dir.join("scripts"))));
}

#[test]
fn check_knows_what_the_peer_makes_of_functions() {
    let (_temp, dir) = new_peer("quiz");
    let functions = dir.join("site/lua/functions");
    fs::create_dir(&functions).unwrap();
    fs::write(functions.join("chat.lua"), "function handle() end").unwrap();
    fs::write(functions.join("leaderboard.lua"), "function call() end").unwrap();
    let report = goop2(["check", text(&dir)]).failed(1, "").stdout;
    for problem in [
        "/functions/chat.lua: defines no call(request), and scripts in functions/ are data functions only",
        "/functions/leaderboard.lua: is not loaded: the script folder has a script of this name too",
    ] {
        assert!(report.contains(problem), "{problem}: {report}");
    }
    assert_eq!(report.matches("ok  leaderboard").count(), 1, "{report}");
}
