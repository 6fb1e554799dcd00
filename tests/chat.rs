//! The chat manager, with a transport and commands that a test can watch.

use std::sync::Arc;

use goop2::chat::{
    ChatError, Commands, DispatchFuture, HistoryPage, MAX_DISPATCHES_PER_PEER, MAX_MESSAGES_PER_MINUTE,
    Manager, MessageError, MessageKind, PeersFuture, Transport,
};
use goop2::peer_id::PeerId;
use goop2::script::{Caller, DirectSender, SendError, SendFuture};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

/// Takes messages for everyone but `Gone`, who can't be reached.
struct Outbox(mpsc::UnboundedSender<(PeerId, Value)>);

impl Transport for Outbox {
    fn deliver<'a>(&'a self, to: &'a PeerId, message: Vec<u8>) -> SendFuture<'a> {
        Box::pin(async move {
            if to.as_str() == "Gone" {
                return Err(SendError { to: to.clone(), reason: "nobody answers".to_owned() });
            }
            self.0.send((to.clone(), serde_json::from_slice(&message).unwrap())).unwrap();
            Ok(())
        })
    }

    fn label_of(&self, _: &PeerId) -> String {
        "Anna".to_owned()
    }

    fn peers(&self) -> PeersFuture<'_> {
        Box::pin(async { ["A", "Gone", "B"].map(peer).to_vec() })
    }
}

/// Answers every command with what it was asked and by whom, once the test lets it.
struct Echo(Arc<Semaphore>);

impl Commands for Echo {
    fn dispatch<'a>(
        &'a self,
        caller: &'a Caller,
        text: &'a str,
        sender: &'a dyn DirectSender,
    ) -> DispatchFuture<'a> {
        Box::pin(async move {
            self.0.acquire().await.unwrap().forget();
            let _ = sender.send_direct(&caller.peer, format!("{} asked {text}", caller.label)).await;
        })
    }
}

struct Chat {
    manager: Manager,
    outbox: mpsc::UnboundedReceiver<(PeerId, Value)>,
    turns: Arc<Semaphore>,
}

fn peer(text: &str) -> PeerId {
    PeerId::parse(text).unwrap()
}

fn chat(turns: usize) -> Chat {
    let (sender, outbox) = mpsc::unbounded_channel();
    let turns = Arc::new(Semaphore::new(turns));
    let manager = Manager::new(peer("Me"), Arc::new(Outbox(sender)), Some(Arc::new(Echo(turns.clone()))));
    Chat { manager, outbox, turns }
}

async fn contents_of(manager: &Manager) -> Vec<String> {
    let kept = manager.history(HistoryPage::default()).await.unwrap();
    kept.into_iter().map(|kept| kept.message.content).collect()
}

fn direct(id: &str, from: &str, content: &str) -> Vec<u8> {
    let message =
        json!({"id": id, "from": from, "to": "Me", "type": "direct", "content": content, "timestamp": 1});
    message.to_string().into_bytes()
}

#[tokio::test]
async fn a_command_is_answered_to_its_sender_and_plain_text_is_not() {
    let mut chat = chat(10);
    let mut heard = chat.manager.subscribe();
    chat.manager.receive(&peer("A"), &direct("1", "A", "hello !time")).await.unwrap();
    chat.manager.receive(&peer("A"), &direct("2", "A", "  !time UTC ")).await.unwrap();
    let (to, reply) = chat.outbox.recv().await.unwrap();
    assert_eq!(to, peer("A"));
    assert_eq!(reply["content"], "Anna asked !time UTC");
    assert_eq!((&reply["from"], &reply["to"], &reply["type"]), (&json!("Me"), &json!("A"), &json!("direct")));
    assert!(reply["timestamp"].as_i64().unwrap() > 1_600_000_000_000);
    let mut contents = Vec::new();
    for _ in 0..3 {
        contents.push(heard.recv().await.unwrap().content.clone());
    }
    assert_eq!(contents, ["hello !time", "  !time UTC ", "Anna asked !time UTC"]);
    assert_eq!(contents_of(&chat.manager).await.len(), 3);
    assert!(chat.outbox.try_recv().is_err());
}

#[tokio::test]
async fn forged_repeated_and_misdirected_messages_are_dropped() {
    let mut chat = chat(10);
    let manager = chat.manager.clone();
    let receive = async |from: &str, bytes: Vec<u8>| manager.receive(&peer(from), &bytes).await;
    let forged = receive("B", direct("1", "A", "!pay")).await;
    assert!(matches!(forged, Err(ChatError::Message(MessageError::ForgedSender { .. }))), "{forged:?}");
    let other = json!({"id": "9", "from": "A", "to": "Bob", "type": "direct", "content": "!x"});
    let other = receive("A", other.to_string().into_bytes()).await;
    assert!(matches!(other, Err(ChatError::WrongRecipient { .. })), "{other:?}");
    assert!(contents_of(&chat.manager).await.is_empty());

    receive("A", direct("1", "A", "!once")).await.unwrap();
    receive("A", direct("1", "A", "!twice")).await.unwrap();
    assert_eq!(chat.outbox.recv().await.unwrap().1["content"], "Anna asked !once");
    // The same id from somebody else is another message.
    receive("B", direct("1", "B", "hi")).await.unwrap();
    let mut kept = contents_of(&chat.manager).await;
    // The reply is kept once it is delivered, which may be after the next message came.
    kept.sort();
    kept.retain(|content| !content.starts_with("Anna"));
    assert_eq!(kept, ["!once", "hi"]);
}

#[tokio::test]
async fn only_direct_messages_of_others_are_commands() {
    let mut chat = chat(10);
    for kind in ["broadcast", "site"] {
        let message = json!({"id": kind, "from": "A", "type": kind, "content": "!x"}).to_string();
        chat.manager.receive(&peer("A"), message.as_bytes()).await.unwrap();
    }
    chat.manager.receive(&peer("Me"), &direct("1", "Me", "!x")).await.unwrap();
    chat.manager.receive(&peer("A"), &direct("2", "A", "!last")).await.unwrap();
    assert_eq!(chat.outbox.recv().await.unwrap().1["content"], "Anna asked !last");
    assert!(chat.outbox.try_recv().is_err());
}

/// One peer's commands that don't end keep neither the stream nor other peers waiting.
#[tokio::test]
async fn commands_in_progress_are_bounded_per_peer_and_ended_on_close() {
    let mut chat = chat(0);
    for id in 0..MAX_DISPATCHES_PER_PEER {
        chat.manager.receive(&peer("A"), &direct(&id.to_string(), "A", "!x")).await.unwrap();
    }
    let busy = chat.manager.receive(&peer("A"), &direct("more", "A", "!x")).await;
    assert!(matches!(busy, Err(ChatError::Busy { limit: MAX_DISPATCHES_PER_PEER, .. })), "{busy:?}");
    // A sender that heard nothing could not tell a command that was dropped from one that is slow.
    let (to, reply) = chat.outbox.recv().await.unwrap();
    assert_eq!((to, &reply["content"]), (peer("A"), &json!("Busy, try again later")));
    chat.manager.receive(&peer("B"), &direct("1", "B", "!x")).await.unwrap();
    chat.turns.add_permits(1);
    assert!(chat.outbox.recv().await.is_some());
    chat.manager.close().await;
    chat.turns.add_permits(100);
    chat.manager.receive(&peer("C"), &direct("1", "C", "!x")).await.unwrap();
    drop(chat.manager);
    // Every task is gone, so nobody holds the outbox any more.
    assert!(chat.outbox.recv().await.is_none());
}

#[tokio::test]
async fn what_can_t_be_delivered_is_told_to_the_sender_and_not_kept() {
    let mut chat = chat(0);
    let error = chat.manager.send_direct(&peer("Gone"), "hi".to_owned()).await.unwrap_err();
    assert_eq!((error.to.as_str(), error.reason.as_str()), ("Gone", "nobody answers"));
    let error = chat.manager.send_direct(&peer("A"), "x".repeat(1024 * 1024)).await.unwrap_err();
    assert!(error.reason.contains("at most 1048576 bytes"), "{error}");
    assert!(chat.outbox.try_recv().is_err());
    assert!(contents_of(&chat.manager).await.is_empty());
}

#[tokio::test]
async fn a_broadcast_goes_to_all_in_reach_and_says_who_missed_it() {
    let mut chat = chat(0);
    let mut heard = chat.manager.subscribe();
    let sent = chat.manager.broadcast("to all".to_owned()).await.unwrap();
    let mut delivered = sent.delivered.clone();
    delivered.sort();
    assert_eq!(delivered, ["A", "B"].map(peer));
    assert_eq!(sent.failed.len(), 1);
    assert_eq!(sent.failed[0].to, peer("Gone"));
    for _ in 0..2 {
        let (_, message) = chat.outbox.recv().await.unwrap();
        assert_eq!((&message["type"], &message["to"]), (&json!("broadcast"), &json!("")));
        assert_eq!((&message["from"], &message["content"]), (&json!("Me"), &json!("to all")));
        assert_eq!(message["id"], sent.message.id.as_str());
    }
    let message = heard.recv().await.unwrap();
    assert_eq!((message.kind, message.content.as_str()), (MessageKind::Broadcast, "to all"));
    assert_eq!(contents_of(&chat.manager).await, ["to all"]);
    assert!(chat.manager.broadcast("x".repeat(1024 * 1024)).await.is_err());
    assert!(chat.outbox.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_pauses_is_not_listened_to_for_ever() {
    let chat = chat(0);
    let send = async |from: &str, id: u32| {
        chat.manager.receive(&peer(from), &direct(&id.to_string(), from, "x")).await
    };
    for id in 0..MAX_MESSAGES_PER_MINUTE {
        send("A", id).await.unwrap();
    }
    let refused = send("A", 1000).await;
    assert!(matches!(refused, Err(ChatError::TooOften { .. })), "{refused:?}");
    send("B", 1).await.unwrap();
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    send("A", 1000).await.unwrap();
}
