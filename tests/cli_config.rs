//! `goop2 config`, and the documents that tell of the configuration.

use std::fs;
use std::path::Path;

use goop2::config::{Config, FIELDS};
use serde_json::{Value, json};

use crate::cli_support::{fixture, goop2, new_peer};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with this `goop.json`.
fn folder(json: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("goop.json"), json).unwrap();
    dir
}

#[test]
fn show_tells_every_value_and_where_it_is_from() {
    let dir = folder(r#"{"profile": {"label": "Ada"}, "lua": {"timeout_seconds": 9}}"#);
    let shown = goop2(["config", "show", text(dir.path())]).succeeded();
    let line = |name: &str| {
        let found = shown.stdout.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("{name}: {shown:?}")).split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(line("profile.label"), ["profile.label", "\"Ada\"", "goop.json"]);
    assert_eq!(line("lua.timeout_seconds"), ["lua.timeout_seconds", "9", "goop.json"]);
    assert_eq!(line("lua.max_memory_mb"), ["lua.max_memory_mb", "10", "default"]);
    assert_eq!(shown.stdout.lines().count(), FIELDS.len());
    let json = goop2(["config", "show", text(dir.path()), "--json"]).succeeded().json();
    assert_eq!(json["fields"].as_array().unwrap().len(), FIELDS.len());
    assert!(
        json["fields"]
            .as_array()
            .unwrap()
            .contains(&json!({"field": "lua.timeout_seconds", "value": 9, "source": "goop.json"}))
    );
}

#[test]
fn check_names_every_problem_and_the_field_that_was_meant() {
    let dir = folder(
        r#"{"lua": {"timeout_seconds": 0, "enabled": "yes", "script_dir": "../x", "timeout_second": 3},
            "profile": {"label": 5}, "weather": {"city": "Rome"}, "viewer": {"theme": "dark"},
            "data": {"visitor_max_mb": 1.5}, "rate_limit_global": 7}"#,
    );
    let checked = goop2(["config", "check", text(dir.path())]);
    assert_eq!((checked.code, checked.stderr.as_str()), (1, ""));
    let mut lines: Vec<_> = checked.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "!!  config: data.visitor_max_mb must be a whole number from 1 to 192, found 1.5",
            "!!  config: lua.enabled must be true or false, found the text \"yes\"",
            "!!  config: lua.script_dir must be a relative path inside the peer folder, found \"../x\"",
            "!!  config: lua.timeout_seconds must be between 1 and 60, found 0",
            "!!  config: profile.label must be a text of at most 200 bytes, found the number 5",
            "??  config: unknown field lua.timeout_second has no effect; did you mean lua.timeout_seconds?",
            "??  config: unknown field rate_limit_global has no effect; did you mean lua.rate_limit_global?",
            "??  config: unknown field weather.city has no effect",
        ]
    );
    let json = goop2(["config", "check", text(dir.path()), "--json"]);
    assert_eq!(json.code, 1);
    let json = json.json();
    assert_eq!((&json["ok"], json["problems"].as_array().unwrap().len()), (&json!(false), 5));
    assert!(
        json["unknown"]
            .as_array()
            .unwrap()
            .contains(&json!({"field": "lua.timeout_second", "nearest": "lua.timeout_seconds"}))
    );
    // What is a problem here keeps the peer from starting, with the same words.
    goop2(["peer", text(dir.path())]).failed(2, "config: ");
}

#[test]
fn what_is_right_is_ok_and_what_has_no_effect_is_no_failure() {
    let checked = goop2(["config", "check", text(&fixture("deployed-peer"))]).succeeded();
    assert!(checked.stdout.starts_with("ok  ") && checked.stdout.lines().count() == 1, "{checked:?}");
    let dir = folder(r#"{"lua": {"enable": true}}"#);
    let checked = goop2(["config", "check", text(dir.path())]).succeeded();
    assert!(checked.stdout.contains("did you mean lua.enabled?"), "{checked:?}");
    let json = goop2(["config", "check", text(dir.path()), "--json"]).succeeded().json();
    assert_eq!(
        json,
        json!({"ok": true, "problems": [],
                            "unknown": [{"field": "lua.enable", "nearest": "lua.enabled"}]})
    );
    // Other commands read it too, and say the same.
    let other = goop2(["check", text(dir.path())]).succeeded();
    assert!(other.stderr.contains("did you mean lua.enabled?"), "{other:?}");
}

/// What `check` finds nothing wrong with, a peer starts with; so each of these was a promise broken.
#[test]
fn check_and_peer_agree_on_what_is_wrong() {
    let relay = "p2p.relay must be like /ip4/203.0.113.7/tcp/4001/p2p/12D3KooW";
    let long_name = format!(r#"{{"lua": {{"script_dir": "{}"}}}}"#, "a".repeat(300));
    let long_path = format!(r#"{{"lua": {{"script_dir": "{}"}}}}"#, "a/".repeat(1000));
    let long_email = format!(r#"{{"profile": {{"email": "{}@example.org"}}}}"#, "a".repeat(250));
    for (json, expected) in [
        (r#"{"p2p": {"relay": "nonsense"}}"#, relay),
        (r#"{"identity": {"key_file": ""}}"#, "a relative path inside the peer folder, found \"\""),
        // Nothing is said of the heartbeat, which is right beside every time that would do.
        (
            r#"{"presence": {"ttl_seconds": 20.5}}"#,
            "presence.ttl_seconds must be a whole number from 2 to 3600",
        ),
        (r#"{"p2p": {"relay": "/ip4/203.0.113.7/tcp/4001"}}"#, relay),
        (
            r#"{"p2p": {"relay": "/dnsaddr/relays.example.org"}}"#,
            "`dig +short TXT _dnsaddr.relays.example.org`",
        ),
        (r#"{"p2p": {"relay": "/ip4/203.0.113.7/udp/4001/quic-v1"}}"#, relay),
        (
            r#"{"p2p": {"relay": "/ip4/0.0.0.0/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"}}"#,
            "0.0.0.0 means every address of the machine",
        ),
        (r#"{"lua": {"enabled": true, "enabled": false}}"#, "duplicate field `enabled`"),
        (r#"{"lua": {}, "lua": {}}"#, "duplicate field `lua`"),
        (r#"{"identity": {"key_file": "goop.json"}}"#, "identity.key_file must be a file of its own"),
        (r#"{"identity": {"key_file": "./data.db-wal"}}"#, "identity.key_file must be a file of its own"),
        (r#"{"identity": {"key_file": "."}}"#, "identity.key_file must name something in the peer folder"),
        (r#"{"identity": {"key_file": "data"}}"#, "identity.key_file must be a file, and a folder is there"),
        (
            r#"{"identity": {"key_file": "goop.json/key"}}"#,
            "identity.key_file must be a file, and a folder is",
        ),
        (r#"{"identity": {"key_file": "a\u0000b"}}"#, "identity.key_file must be without control characters"),
        (r#"{"identity": {"key_file": "site/key"}}"#, "identity.key_file must not lie in site/"),
        (r#"{"identity": {"key_file": "./door/x/key"}}"#, "identity.key_file must not lie in site/"),
        (r#"{"lua": {"script_dir": "lua\u0000"}}"#, "lua.script_dir must be without control characters"),
        (r#"{"lua": {"script_dir": "."}}"#, "lua.script_dir must name something in the peer folder"),
        (r#"{"lua": {"script_dir": "site/."}}"#, "lua.script_dir must not hold site/"),
        (r#"{"lua": {"script_dir": "goop.json"}}"#, "lua.script_dir must be a folder"),
        (&long_name, "lua.script_dir must have at most 1000 bytes"),
        (&long_path, "lua.script_dir must have at most 1000 bytes"),
        (
            r#"{"presence": {"ttl_seconds": 2, "heartbeat_seconds": 1800}}"#,
            "presence.heartbeat_seconds must be less than presence.ttl_seconds (2), found 1800",
        ),
        (
            r#"{"p2p": {"max_connections": 1, "max_connections_per_address": 10000}}"#,
            "p2p.max_connections_per_address must be at most p2p.max_connections (1), found 10000",
        ),
        (
            r#"{"profile": {"label": "a\nb"}}"#,
            "profile.label must be without control characters, found '\\n'",
        ),
        (r#"{"presence": {"topic": "a\u0000"}}"#, "presence.topic must be without control characters"),
        (
            r#"{"profile": {"email": "ada"}}"#,
            "profile.email must be an e-mail address like `ada@example.org`, or nothing, found \"ada\"",
        ),
        (r#"{"profile": {"email": "@example.org"}}"#, "or nothing, found \"@example.org\""),
        (r#"{"profile": {"email": "a da@example.org"}}"#, "or nothing, found \"a da@example.org\""),
        (r#"{"profile": {"email": "a\nb@example.org"}}"#, "profile.email must be without control characters"),
        (r#"{"profile": {"email": null}}"#, "or nothing, found null"),
        (&long_email, "profile.email must have 0 to 254 bytes, found 262"),
        (
            r#"{"lua": {"timeout_seconds": 5.0}}"#,
            "lua.timeout_seconds must be a whole number from 1 to 60, found 5.0",
        ),
    ] {
        let dir = folder(json);
        fs::create_dir(dir.path().join("site")).unwrap();
        fs::create_dir(dir.path().join("data")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("site", dir.path().join("door")).unwrap();
        let checked = goop2(["config", "check", text(dir.path())]);
        assert_eq!((checked.code, checked.stdout.lines().count()), (1, 1), "{json:.80}: {checked:?}");
        assert!(checked.stdout.contains(expected), "{json:.80}: {checked:?}");
        goop2(["peer", text(dir.path())]).failed(2, expected);
    }
    for json in [
        r#"{"p2p": {"max_connections": 5}}"#,
        r#"{"identity": {"key_file": "keys/new/mine.key"}, "lua": {"script_dir": "./scripts"}}"#,
        r#"{"p2p": {"relay": "/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"}}"#,
        r#"{"profile": {"label": ""}, "lua": {"script_dir": "site/server/lua"}}"#,
    ] {
        goop2(["config", "check", text(folder(json).path())]).succeeded();
    }
}

#[test]
fn a_file_that_is_no_json_is_a_problem_and_a_folder_that_is_no_peer_is_wrong_usage() {
    let dir = folder("{\"lua\": {\n\"enabled\": tru}}");
    let checked = goop2(["config", "check", text(dir.path())]);
    assert_eq!(checked.code, 1);
    assert!(checked.stdout.contains("goop.json: ") && checked.stdout.contains("line 2"), "{checked:?}");
    let json = goop2(["config", "check", text(dir.path()), "--json"]).json();
    assert_eq!(json["problems"][0]["field"], Value::Null);
    let empty = tempfile::tempdir().unwrap();
    goop2(["config", "check", text(empty.path())]).failed(2, "is no peer folder");
    goop2(["config", "show", "/nonexistent"]).failed(2, "is no peer folder");
    goop2(["config"]).failed(2, "Usage: goop2 config");
}

#[test]
fn what_is_no_file_is_not_waited_for_and_a_mark_that_nobody_sees_is_read_over() {
    let marked = folder("\u{feff}{\"lua\": {\"timeout_seconds\": 9}}");
    goop2(["config", "check", text(marked.path())]).succeeded();
    assert_eq!(Config::load(marked.path()).unwrap().lua.timeout_seconds, 9);
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("site")).unwrap();
    let file = dir.path().join("goop.json");
    #[cfg(unix)]
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    #[cfg(not(unix))]
    fs::create_dir(&file).unwrap();
    let checked = goop2(["config", "check", text(dir.path())]);
    assert_eq!(checked.code, 1);
    assert!(checked.stdout.contains("goop.json: can't be read: it is not a file"), "{checked:?}");
    goop2(["peer", text(dir.path())]).failed(2, "it is not a file");
}

#[test]
fn init_writes_every_default_once() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("new/peer");
    goop2(["config", "init", text(&dir)]).succeeded();
    assert_eq!(Config::load(&dir).unwrap(), Config::default());
    let shown = goop2(["config", "show", text(&dir), "--json"]).succeeded().json();
    assert!(shown["fields"].as_array().unwrap().iter().all(|field| field["source"] == "goop.json"));
    let before = fs::read_to_string(dir.join("goop.json")).unwrap();
    goop2(["config", "init", text(&dir)]).failed(1, "exists already, and was left as it is");
    assert_eq!(fs::read_to_string(dir.join("goop.json")).unwrap(), before);
    let (_temp, made) = new_peer("quiz");
    goop2(["config", "init", text(&made)]).failed(1, "exists already");
}

/// The table of `docs/config.md`, from the same rows that values are checked by.
fn table() -> String {
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let mut table = "| field | default | allowed | meaning |\n|---|---|---|---|\n".to_owned();
    for field in FIELDS {
        let default = defaults.pointer(&format!("/{}", field.name.replace('.', "/"))).unwrap();
        let (name, allowed, meaning) = (field.name, field.allowed(), field.meaning);
        table.push_str(&format!("| `{name}` | `{default}` | {allowed} | {meaning} |\n"));
    }
    table
}

#[test]
fn the_documented_table_is_the_real_one() {
    let documented =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md")).unwrap();
    let table = table();
    assert!(documented.contains(&table), "docs/config.md has to hold this table:\n{table}");
    assert_eq!(documented.matches("\n| `").count(), FIELDS.len());
}
