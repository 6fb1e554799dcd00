//! Scripts change while the engine runs.

use std::fs;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Peer, caller, config, wait_for};
use goop2::config::LuaConfig;
use goop2::script::{Engine, EngineOptions, Reload, ScriptEvent};

fn answers(text: &str) -> String {
    format!("function handle() return '{text}' end")
}

fn loaded(name: &str) -> impl Fn(&ScriptEvent) -> bool {
    move |event| matches!(event, ScriptEvent::Loaded { name: loaded } if loaded == name)
}

fn removed(name: &str) -> impl Fn(&ScriptEvent) -> bool {
    move |event| matches!(event, ScriptEvent::Removed { name: removed } if removed == name)
}

#[tokio::test]
async fn new_changed_renamed_and_deleted_scripts_are_noticed() {
    let peer = Peer::with(&[("a.lua", &answers("one"))]);
    let mut events = peer.engine.events();
    peer.write("a.lua", &answers("two"));
    wait_for(&mut events, loaded("a")).await;
    assert_eq!(peer.chat("!a").await.as_deref(), Some("two"));
    peer.write("b.lua", &answers("new"));
    wait_for(&mut events, loaded("b")).await;
    assert_eq!(peer.chat("!b").await.as_deref(), Some("new"));
    fs::rename(peer.script_path("b.lua"), peer.script_path("c.lua")).unwrap();
    wait_for(&mut events, removed("b")).await;
    assert_eq!(peer.chat("!c").await.as_deref(), Some("new"));
    fs::remove_file(peer.script_path("a.lua")).unwrap();
    wait_for(&mut events, removed("a")).await;
    assert_eq!(peer.engine.commands(), ["c"]);
}

#[tokio::test]
async fn a_broken_script_leaves_the_last_good_version_and_names_the_line() {
    let peer = Peer::with(&[("a.lua", &answers("good"))]);
    let mut events = peer.engine.events();
    peer.write("a.lua", "function handle()\n  x 5\nend");
    let event = wait_for(&mut events, |event| matches!(event, ScriptEvent::Rejected { .. })).await;
    let problem = "a.lua:2: '=' expected near '5'".to_owned();
    assert_eq!(event, ScriptEvent::Rejected { file: "a.lua".to_owned(), problem });
    assert_eq!(peer.chat("!a").await.as_deref(), Some("good"));
    peer.write("a.lua", &answers("mended"));
    wait_for(&mut events, loaded("a")).await;
    assert_eq!(peer.chat("!a").await.as_deref(), Some("mended"));
}

#[tokio::test]
async fn editors_that_save_by_renaming_are_noticed() {
    let peer = Peer::with(&[("a.lua", &answers("one"))]);
    let mut events = peer.engine.events();
    // As vim does: the old file aside, a new one under its name, the old one gone.
    fs::rename(peer.script_path("a.lua"), peer.script_path("a.lua~")).unwrap();
    peer.write("a.lua", &answers("two"));
    fs::remove_file(peer.script_path("a.lua~")).unwrap();
    wait_for(&mut events, loaded("a")).await;
    assert_eq!(peer.chat("!a").await.as_deref(), Some("two"));
    // As many others do: a temporary file renamed over the old one.
    peer.write(".a.lua.tmp", &answers("three"));
    fs::rename(peer.script_path(".a.lua.tmp"), peer.script_path("a.lua")).unwrap();
    wait_for(&mut events, loaded("a")).await;
    assert_eq!(peer.chat("!a").await.as_deref(), Some("three"));
    assert_eq!(peer.engine.commands(), ["a"], "temporary files are no scripts");
}

#[tokio::test]
async fn a_file_cut_off_or_emptied_leaves_the_last_good_version() {
    let peer = Peer::with(&[("a.lua", &answers("good"))]);
    let mut events = peer.engine.events();
    for (half, problem) in [
        ("function handle()\n  return 'ne", "a.lua:2: unfinished string"),
        ("", "a.lua: defines neither handle(args) nor call(request): nobody can call it"),
        ("-- only the head so far\n", "a.lua: defines neither handle(args) nor call(request)"),
    ] {
        peer.write("a.lua", half);
        let event = wait_for(&mut events, |_| true).await;
        let ScriptEvent::Rejected { problem: found, .. } = &event else { panic!("{event:?}") };
        assert!(found.starts_with(problem), "{found}");
        assert_eq!(peer.chat("!a").await.as_deref(), Some("good"));
    }
    peer.write("a.lua", &answers("whole"));
    wait_for(&mut events, loaded("a")).await;
    assert_eq!(peer.chat("!a").await.as_deref(), Some("whole"));
}

#[tokio::test]
async fn editors_temporary_files_are_no_scripts() {
    let peer = Peer::with(&[("a.lua", &answers("one"))]);
    let mut events = peer.engine.events();
    for file in
        ["4913", ".a.lua.swp", "a.lua~", "#a.lua#", ".#a.lua", "a.lua.tmp", "___jb_tmp___", "a.lua.bak"]
    {
        peer.write(file, "this is no Lua");
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("nobody@nowhere.1234", peer.script_path("lock.lua")).unwrap();
    peer.write("z.lua", &answers("last"));
    let event = wait_for(&mut events, |_| true).await;
    assert_eq!(event, ScriptEvent::Loaded { name: "z".to_owned() }, "nothing else happened before it");
    assert_eq!(peer.engine.commands(), ["a", "z"]);
}

#[tokio::test]
async fn the_folder_above_may_be_deleted_and_come_back() {
    let peer = Peer::with(&[("a.lua", &answers("one"))]);
    let mut events = peer.engine.events();
    fs::remove_dir_all(peer.dir.path().join("site")).unwrap();
    wait_for(&mut events, removed("a")).await;
    peer.write("b.lua", &answers("back"));
    wait_for(&mut events, loaded("b")).await;
    peer.write("b.lua", &answers("changed"));
    wait_for(&mut events, loaded("b")).await;
    assert_eq!(peer.chat("!b").await.as_deref(), Some("changed"));
}

#[tokio::test]
async fn functions_may_go_and_come_again() {
    let peer = Peer::with(&[("functions/f.lua", "function call() return 1 end")]);
    let mut events = peer.engine.events();
    fs::remove_dir_all(peer.script_path("functions")).unwrap();
    wait_for(&mut events, removed("f")).await;
    peer.write("functions/f.lua", "function call() return 2 end");
    wait_for(&mut events, loaded("f")).await;
    peer.write("functions/f.lua", "function call() return 3 end");
    wait_for(&mut events, loaded("f")).await;
    assert_eq!(peer.call("f", serde_json::json!({})).await, Ok(serde_json::json!(3)));
    peer.write("functions/chat.lua", &answers("x"));
    let event = wait_for(&mut events, |_| true).await;
    let ScriptEvent::Rejected { file, problem } = event else { panic!("{event:?}") };
    assert_eq!(file, format!("functions{}chat.lua", std::path::MAIN_SEPARATOR));
    assert!(problem.starts_with("chat.lua: defines no call(request)"), "{problem}");
}

#[tokio::test]
async fn without_the_platforms_watcher_the_folder_is_looked_at() {
    let options =
        EngineOptions { reload: Reload::Poll(Duration::from_millis(5)), ..EngineOptions::default() };
    let peer = Peer::with_options(config(), options, &[("a.lua", &answers("one"))]);
    let mut events = peer.engine.events();
    peer.write("a.lua", &answers("two"));
    wait_for(&mut events, loaded("a")).await;
    assert_eq!(peer.chat("!a").await.as_deref(), Some("two"));
    fs::remove_dir_all(peer.dir.path().join("site")).unwrap();
    wait_for(&mut events, removed("a")).await;
    peer.write("b.lua", &answers("new"));
    wait_for(&mut events, loaded("b")).await;
    assert_eq!(peer.chat("!b").await.as_deref(), Some("new"));
}

#[tokio::test]
async fn the_folder_may_be_deleted_and_come_back_and_functions_may_appear_later() {
    let peer = Peer::with(&[("a.lua", &answers("one"))]);
    let mut events = peer.engine.events();
    let dir = peer.script_path("");
    fs::remove_dir_all(&dir).unwrap();
    wait_for(&mut events, removed("a")).await;
    peer.write("a.lua", &answers("back"));
    wait_for(&mut events, loaded("a")).await;
    assert_eq!(peer.chat("!a").await.as_deref(), Some("back"));
    peer.write("functions/f.lua", "function call() return 1 end");
    wait_for(&mut events, loaded("f")).await;
    assert_eq!(peer.engine.functions().len(), 1);
}

#[tokio::test]
async fn a_burst_of_files_is_loaded_whole() {
    let peer = Peer::with(&[]);
    let mut events = peer.engine.events();
    for n in 0..500 {
        peer.write(&format!("s{n}.lua"), &answers("x"));
    }
    let mut loaded = 0;
    while loaded < 500 {
        let event = wait_for(&mut events, |_| true).await;
        assert!(matches!(event, ScriptEvent::Loaded { .. }), "{event:?}");
        loaded += 1;
    }
    assert_eq!(peer.engine.commands().len(), 500);
}

#[tokio::test]
async fn what_is_running_finishes_on_the_version_it_started_with() {
    let slow = "function handle() local n = 0 for i = 1, 3e6 do n = n + 1 end return 'old' end";
    // However busy the machine is, the old version must come to its end.
    let patient = LuaConfig { timeout_seconds: 60, ..config() };
    let peer = Peer::configured(patient, &[("a.lua", slow)]);
    let mut events = peer.engine.events();
    let replace = async {
        peer.write("a.lua", &answers("new"));
        wait_for(&mut events, loaded("a")).await;
    };
    let (reply, ()) = tokio::join!(biased; peer.chat("!a"), replace);
    assert_eq!(reply.as_deref(), Some("old"));
    assert_eq!(peer.chat("!a").await.as_deref(), Some("new"));
}

/// `ln -sfn ../v2 site/lua`, as those deploy who keep several versions; over two links in the second round.
#[cfg(unix)]
#[tokio::test]
async fn a_linked_script_folder_may_be_pointed_elsewhere() {
    use std::os::unix::fs::symlink;
    for (reload, script_dir) in [
        (Reload::Watch, "site/lua"),
        (Reload::Poll(Duration::from_millis(5)), "site/lua"),
        (Reload::Poll(Duration::from_millis(5)), "current"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        for version in ["v1", "v2"] {
            fs::create_dir_all(dir.path().join(version)).unwrap();
            fs::write(dir.path().join(version).join("a.lua"), answers(version)).unwrap();
        }
        fs::create_dir(dir.path().join("site")).unwrap();
        let base = dir.path().to_owned();
        let point_at = |version: &str| {
            symlink(base.join(version), base.join("new")).unwrap();
            fs::rename(base.join("new"), base.join(script_dir)).unwrap();
        };
        point_at("v1");
        if script_dir == "current" {
            symlink("../current", dir.path().join("site/lua")).unwrap();
        }
        let options = EngineOptions { reload, ..EngineOptions::default() };
        let engine = Engine::with_options(config(), dir.path(), caller("Host"), options).unwrap();
        let peer = Peer { dir, engine: Arc::new(engine) };
        let mut events = peer.engine.events();
        let started = Instant::now();
        point_at("v2");
        wait_for(&mut events, loaded("a")).await;
        assert_eq!(peer.chat("!a").await.as_deref(), Some("v2"));
        // It is watched where it is now.
        fs::write(peer.dir.path().join("v2/b.lua"), answers("new")).unwrap();
        wait_for(&mut events, loaded("b")).await;
        assert!(started.elapsed() < Duration::from_secs(9), "found by the slow look and not by events");
    }
}

/// Whose names are no names of commands was ignored without a word.
#[tokio::test]
async fn a_file_that_can_be_no_script_is_told_of_at_the_start() {
    let peer = Peer::with(&[("my cmd.lua", &answers("x")), ("ok.lua", &answers("y"))]);
    let rejected = peer.engine.first_load().iter().find_map(|event| match event {
        ScriptEvent::Rejected { file, problem } => Some((file, problem)),
        _ => None,
    });
    let (file, problem) = rejected.unwrap();
    assert_eq!(file, "my cmd.lua");
    assert!(problem.contains("letters a to z, digits, - and _"), "{problem}");
}
