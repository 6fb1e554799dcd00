//! The chat's history on a real disk: what a restart, a kill and a damaged file leave.

use std::path::Path;
use std::sync::Arc;

use goop2::chat::{HISTORY_FILE, History, HistoryPage, Manager, Transport};
use goop2::peer_id::PeerId;
use goop2::script::SendFuture;
use serde_json::json;

use super::cli_support::{RunningPeer, goop2, new_peer};

/// A network where everything arrives.
struct Anywhere;

impl Transport for Anywhere {
    fn deliver<'a>(&'a self, _: &'a PeerId, _: Vec<u8>) -> SendFuture<'a> {
        Box::pin(async { Ok(()) })
    }

    fn label_of(&self, _: &PeerId) -> String {
        String::new()
    }
}

fn peer(text: &str) -> PeerId {
    PeerId::parse(text).unwrap()
}

/// The chat of the peer `Me` in the folder `dir`.
fn chat(dir: &Path) -> Manager {
    Manager::with_history(peer("Me"), Arc::new(Anywhere), None, History::open(dir).unwrap())
}

fn message(id: &str, from: &str, kind: &str) -> Vec<u8> {
    let to = if kind == "direct" { "Me" } else { "" };
    let content = format!("{id} of {from}");
    let message = json!({"id": id, "from": from, "to": to, "type": kind, "content": content, "timestamp": 7});
    message.to_string().into_bytes()
}

async fn contents(chat: &Manager, page: HistoryPage) -> Vec<String> {
    chat.history(page).await.unwrap().into_iter().map(|kept| kept.message.content).collect()
}

#[tokio::test]
async fn a_restart_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let before = {
        let chat = chat(dir.path());
        chat.receive(&peer("A"), &message("1", "A", "direct")).await.unwrap();
        chat.receive(&peer("B"), &message("1", "B", "broadcast")).await.unwrap();
        chat.send_direct(&peer("A"), "an answer".to_owned()).await.unwrap();
        chat.broadcast("to all".to_owned()).await.unwrap();
        chat.history(HistoryPage::default()).await.unwrap()
    };
    assert_eq!(before.len(), 4);
    let chat = chat(dir.path());
    assert_eq!(chat.history(HistoryPage::default()).await.unwrap(), before);
    // A message sent again is known, and makes no second entry.
    chat.receive(&peer("A"), &message("1", "A", "direct")).await.unwrap();
    chat.receive(&peer("A"), &message("2", "A", "direct")).await.unwrap();
    let with_a = HistoryPage { with: Some(peer("A")), ..HistoryPage::default() };
    assert_eq!(contents(&chat, with_a).await, ["1 of A", "an answer", "2 of A"]);
    let own = HistoryPage { with: Some(peer("Me")), ..HistoryPage::default() };
    assert_eq!(contents(&chat, own).await, ["to all"]);
    let page = HistoryPage { before: Some(before[2].number), limit: Some(1), ..HistoryPage::default() };
    assert_eq!(contents(&chat, page).await, ["1 of B"]);
}

/// The disk is the owner's problem, not that of who writes to them.
#[tokio::test]
async fn without_a_working_disk_messages_are_heard_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let chat = chat(dir.path());
    let other = rusqlite::Connection::open(dir.path().join(HISTORY_FILE)).unwrap();
    other.execute_batch("DROP TABLE messages").unwrap();
    let mut heard = chat.subscribe();
    chat.receive(&peer("A"), &message("1", "A", "direct")).await.unwrap();
    assert_eq!(heard.recv().await.unwrap().content, "1 of A");
    chat.send_direct(&peer("A"), "an answer".to_owned()).await.unwrap();
    assert_eq!(heard.recv().await.unwrap().content, "an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_peer_has_its_history() {
    let (_temp, dir) = new_peer("quiz");
    let host = RunningPeer::start(&dir);
    let (address, id) = (host.address().to_owned(), host.ready["peer_id"].clone());
    for _ in 0..2 {
        goop2(["chat", &address, "!help"]).succeeded();
        host.event(|event| event["event"] == "message" && event["from"] == id);
    }
    // As `kill -9` does it.
    drop(host);
    let kept = contents(&chat(&dir), HistoryPage::default()).await;
    assert_eq!(kept.len(), 4, "{kept:?}");
    for pair in kept.chunks(2) {
        assert!(pair[0] == "!help" && pair[1].starts_with("Available commands:"), "{pair:?}");
    }
}

#[test]
fn a_peer_with_a_damaged_history_starts_and_says_where_it_is() {
    let (_temp, dir) = new_peer("blank");
    let file = dir.join(HISTORY_FILE);
    std::fs::write(&file, "x".repeat(9000)).unwrap();
    let ended = RunningPeer::start(&dir).stop().succeeded();
    assert!(ended.stderr.contains("the chat history is damaged; it was set aside"), "{ended:?}");
    let names = std::fs::read_dir(dir.join("data")).unwrap().map(|e| e.unwrap().file_name());
    let aside: Vec<_> = names.filter(|name| name.to_string_lossy().contains("chat.db.damaged-")).collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(std::fs::read(dir.join("data").join(&aside[0])).unwrap(), "x".repeat(9000).as_bytes());
    // The new one is used from now on, without a word.
    let ended = RunningPeer::start(&dir).stop().succeeded();
    assert!(!ended.stderr.contains("damaged"), "{ended:?}");
}
