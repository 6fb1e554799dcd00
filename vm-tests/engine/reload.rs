//! Scripts change while the engine runs.

use std::fs;

use super::{Peer, config, wait_for};
use goop2::config::LuaConfig;
use goop2::script::ScriptEvent;

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
    for n in 0..200 {
        peer.write(&format!("s{n}.lua"), &answers("x"));
    }
    wait_for(&mut events, |_| peer.engine.commands().len() == 200).await;
}

#[tokio::test]
async fn what_is_running_finishes_on_the_version_it_started_with() {
    let slow = "function handle() local n = 0 for i = 1, 3e6 do n = n + 1 end return 'old' end";
    // The loop takes long on a busy machine.
    let config = LuaConfig { timeout_seconds: 60, ..config() };
    let peer = Peer::configured(config, &[("a.lua", slow)]);
    let mut events = peer.engine.events();
    let replace = async {
        peer.write("a.lua", &answers("new"));
        wait_for(&mut events, loaded("a")).await;
    };
    let (reply, ()) = tokio::join!(biased; peer.chat("!a"), replace);
    assert_eq!(reply.as_deref(), Some("old"));
    assert_eq!(peer.chat("!a").await.as_deref(), Some("new"));
}
