//! The chat manager, with a transport and commands that a test can watch.

use std::sync::Arc;

use goop2::chat::{
    ChatError, Commands, DispatchFuture, MAX_DISPATCHES_PER_PEER, Manager, MessageError, Transport,
};
use goop2::peer_id::PeerId;
use goop2::script::{Caller, DirectSender, SendFuture};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

struct Outbox(mpsc::UnboundedSender<(PeerId, Value)>);

impl Transport for Outbox {
    fn deliver<'a>(&'a self, to: &'a PeerId, message: Vec<u8>) -> SendFuture<'a> {
        self.0.send((to.clone(), serde_json::from_slice(&message).unwrap())).unwrap();
        Box::pin(async { Ok(()) })
    }

    fn label_of(&self, _: &PeerId) -> String {
        "Anna".to_owned()
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

fn direct(id: &str, from: &str, content: &str) -> Vec<u8> {
    let message =
        json!({"id": id, "from": from, "to": "Me", "type": "direct", "content": content, "timestamp": 1});
    message.to_string().into_bytes()
}

#[tokio::test]
async fn a_command_is_answered_to_its_sender_and_plain_text_is_not() {
    let mut chat = chat(10);
    let mut heard = chat.manager.subscribe();
    chat.manager.receive(&peer("A"), &direct("1", "A", "hello !time")).unwrap();
    chat.manager.receive(&peer("A"), &direct("2", "A", "  !time UTC ")).unwrap();
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
    assert_eq!(chat.manager.history().len(), 3);
    assert!(chat.outbox.try_recv().is_err());
}

#[tokio::test]
async fn forged_repeated_and_misdirected_messages_are_dropped() {
    let mut chat = chat(10);
    let receive = |from: &str, bytes: Vec<u8>| chat.manager.receive(&peer(from), &bytes);
    let forged = receive("B", direct("1", "A", "!pay"));
    assert!(matches!(forged, Err(ChatError::Message(MessageError::ForgedSender { .. }))), "{forged:?}");
    let other = json!({"id": "9", "from": "A", "to": "Bob", "type": "direct", "content": "!x"});
    let other = receive("A", other.to_string().into_bytes());
    assert!(matches!(other, Err(ChatError::WrongRecipient { .. })), "{other:?}");
    assert!(chat.manager.history().is_empty());

    receive("A", direct("1", "A", "!once")).unwrap();
    receive("A", direct("1", "A", "!twice")).unwrap();
    // The same id from somebody else is another message.
    receive("B", direct("1", "B", "hi")).unwrap();
    assert_eq!(chat.outbox.recv().await.unwrap().1["content"], "Anna asked !once");
    let received: Vec<_> = chat.manager.history().iter().map(|message| message.content.clone()).collect();
    assert_eq!(received, ["!once", "hi", "Anna asked !once"]);
}

#[tokio::test]
async fn only_direct_messages_of_others_are_commands() {
    let mut chat = chat(10);
    for kind in ["broadcast", "site"] {
        let message = json!({"id": kind, "from": "A", "type": kind, "content": "!x"}).to_string();
        chat.manager.receive(&peer("A"), message.as_bytes()).unwrap();
    }
    chat.manager.receive(&peer("Me"), &direct("1", "Me", "!x")).unwrap();
    chat.manager.receive(&peer("A"), &direct("2", "A", "!last")).unwrap();
    assert_eq!(chat.outbox.recv().await.unwrap().1["content"], "Anna asked !last");
    assert!(chat.outbox.try_recv().is_err());
}

/// One peer's commands that don't end keep neither the stream nor other peers waiting.
#[tokio::test]
async fn commands_in_progress_are_bounded_per_peer_and_ended_on_close() {
    let mut chat = chat(0);
    for id in 0..MAX_DISPATCHES_PER_PEER {
        chat.manager.receive(&peer("A"), &direct(&id.to_string(), "A", "!x")).unwrap();
    }
    let busy = chat.manager.receive(&peer("A"), &direct("more", "A", "!x"));
    assert!(matches!(busy, Err(ChatError::Busy { limit: MAX_DISPATCHES_PER_PEER, .. })), "{busy:?}");
    chat.manager.receive(&peer("B"), &direct("1", "B", "!x")).unwrap();
    chat.turns.add_permits(1);
    assert!(chat.outbox.recv().await.is_some());
    chat.manager.close().await;
    chat.turns.add_permits(100);
    chat.manager.receive(&peer("C"), &direct("1", "C", "!x")).unwrap();
    drop(chat.manager);
    // Every task is gone, so nobody holds the outbox any more.
    assert!(chat.outbox.recv().await.is_none());
}
