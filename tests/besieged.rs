//! Bounds that strangers meet again and again: each holds, others are served meanwhile, and the owner is told
//! once.
//!
//! What is counted by address needs more than one of them: connections made through [`elsewhere`] come from
//! another address of this machine's own network, which is one host with many addresses.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{join_all, pending};
use futures::stream::FuturesUnordered;
use futures::{AsyncWriteExt, StreamExt};
use goop2::chat::{
    Commands, DispatchFuture, MAX_DISPATCHES_PER_PEER, MAX_MESSAGES_PER_MINUTE, Manager, Transport,
};
use goop2::p2p::{DataService, Node, NodeConfig, RespondFuture, Services};
use goop2::script::{Caller, DirectSender};
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::cli_support::{RunningPeer, goop2, new_peer};
use crate::nodes::{OwnersLog, PATIENCE, TestNode, listening};
use crate::stranger::{Stranger, accepted, answer};

const SITE: &str = "/goop/site/1.0.0";
const DATA: &str = "/goop/data/1.0.0";
const CONTENT: &str = "/goop/content/1.0.0";

fn port(address: &Multiaddr) -> u16 {
    let port = address.iter().find_map(|part| if let Protocol::Tcp(port) = part { Some(port) } else { None });
    port.unwrap()
}

/// The same peer's address, as seen from `127.0.0.last`.
async fn elsewhere(address: &Multiaddr, last: u8) -> Multiaddr {
    let here = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (door, target) = (here.local_addr().unwrap().port(), port(address));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = here.accept().await {
            tokio::spawn(async move {
                let socket = TcpSocket::new_v4().unwrap();
                socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).unwrap();
                let mut onward = socket.connect((Ipv4Addr::LOCALHOST, target).into()).await?;
                copy_bidirectional(&mut stream, &mut onward).await
            });
        }
    });
    let through = |part| if let Protocol::Tcp(_) = part { Protocol::Tcp(door) } else { part };
    address.iter().map(through).collect()
}

/// A visitor that is connected and asks for the label.
async fn is_served(address: &Multiaddr) {
    let visitor = TestNode::start(listening());
    let id = visitor.handle.dial(address.clone()).await.unwrap();
    visitor.handle.fetch_content(&id).await.unwrap();
}

/// Says what a handshake begins with, up to `silent_after` bytes, one byte at a time; gives when it was closed.
async fn dawdle(port: u16, silent_after: usize) -> Instant {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let beginning = b"\x13/multistream/1.0.0\n\x07/noise\n\xff\xff".iter().copied();
    let mut said = beginning.chain(std::iter::repeat(0)).take(silent_after);
    let mut heard = [0; 64];
    loop {
        let reading = timeout(Duration::from_millis(100), stream.read(&mut heard)).await;
        let byte = said.next();
        match reading {
            Ok(Ok(0) | Err(_)) => return Instant::now(),
            _ => {
                if let Some(byte) = byte {
                    // Closed meanwhile, which reading tells.
                    let _ = stream.write_all(&[byte]).await;
                }
            }
        }
    }
}

/// A byte now and then is no reason to wait for more.
#[tokio::test]
async fn connections_that_never_say_who_they_are_are_closed_in_time() {
    let log = OwnersLog::start();
    let host = TestNode::start(listening());
    let address = host.address().await;
    let begun = Instant::now();
    let slow = join_all([0, 0, 1, 21, 24, 31, usize::MAX, usize::MAX].map(|n| dawdle(port(&address), n)));
    let visit = async {
        is_served(&address).await;
        Instant::now()
    };
    let (closed, served) = timeout(PATIENCE, async { tokio::join!(slow, visit) }).await.expect("they stay");
    for at in closed {
        assert!(served < at && at - begun >= Duration::from_secs(4), "{:?}", at - begun);
    }
    assert_eq!(log.told("a handshake took too long"), 1);
}

#[tokio::test]
async fn a_peer_that_connects_again_and_again_has_three_connections() {
    let log = OwnersLog::start();
    let host = TestNode::start(listening());
    let address = host.address().await;
    let keypair = Keypair::generate_ed25519();
    let mut strangers = Vec::new();
    for _ in 0..12 {
        strangers.push(Stranger::connected_as(&keypair, &address).await);
    }
    let (old, new) = strangers.split_at_mut(9);
    timeout(PATIENCE, join_all(old.iter_mut().map(Stranger::closed))).await.expect("more than three stay");
    for stranger in new {
        answer(stranger.propose(CONTENT, b"").await.unwrap(), CONTENT).await.unwrap();
    }
    is_served(&address).await;
    assert_eq!(log.told("a limit on connections was met"), 1);
}

/// A request under way is a connection in use, and whoever begins one and stops has it for a while.
#[tokio::test]
async fn an_address_that_uses_all_its_connections_keeps_only_itself_out() {
    let log = OwnersLog::start();
    let host = TestNode::start(listening());
    let address = host.address().await;
    let mut held = Vec::new();
    for _ in 0..24 {
        let stranger = Stranger::connected_to(&address).await;
        let mut stream = stranger.propose(SITE, b"GET /").await.unwrap();
        accepted(&mut stream, SITE).await.unwrap();
        held.push((stranger, stream));
    }
    for _ in 0..5 {
        let mut refused = Stranger::connected_to(&address).await;
        timeout(PATIENCE, refused.closed()).await.expect("one more was let in");
    }
    is_served(&elsewhere(&address, 2).await).await;
    assert_eq!(log.told("a connection was refused"), 1);
}

/// Answers those at one address when it is told to, and nobody else.
struct OnlyFor(&'static str, Arc<Semaphore>);

impl DataService for OnlyFor {
    fn respond<'a>(&'a self, _: &'a Caller, origin: &'a str, _: &'a [u8]) -> RespondFuture<'a> {
        Box::pin(async move {
            if origin != self.0 {
                pending::<()>().await;
            }
            self.1.acquire().await.unwrap().forget();
            b"{}".to_vec()
        })
    }
}

/// Requests that were there first are the first to go only where their own address has most.
#[tokio::test]
async fn many_addresses_that_hold_every_place_end_no_request_of_another() {
    let log = OwnersLog::start();
    let turns = Arc::new(Semaphore::new(0));
    let mut host = Node::start(listening()).unwrap();
    host.serve(Services { data: Some(Arc::new(OnlyFor("127.0.0.9", turns.clone()))), ..Services::default() });
    let address = host.addresses().await.remove(0);
    let honest = Stranger::connected_to(&elsewhere(&address, 9).await).await;
    let asked = join_all((0..10).map(|_| honest.propose(DATA, b"{}\n"))).await;
    let mut asked: Vec<_> = asked.into_iter().map(Result::unwrap).collect();
    for stream in &mut asked {
        accepted(stream, DATA).await.unwrap();
    }
    let mut greedy = Vec::new();
    for last in 2..=5 {
        let door = elsewhere(&address, last).await;
        for _ in 0..2 {
            let stranger = Stranger::connected_to(&door).await;
            let streams = join_all((0..40).map(|_| stranger.propose(DATA, b"{}\n"))).await;
            greedy.push((stranger, streams));
        }
    }
    log.has("a request was ended for another").await;
    is_served(&elsewhere(&address, 8).await).await;
    turns.add_permits(asked.len());
    for mut stream in asked {
        let mut text = String::new();
        let read = futures::AsyncReadExt::read_to_string(&mut stream, &mut text);
        timeout(PATIENCE, read).await.expect("the answer did not come").unwrap();
        assert_eq!(text, "{}\n");
    }
    assert_eq!(log.told("a request was ended for another"), 1);
}

/// Those in service never end, so those that wait do so in vain. The clock jumps to the end of that.
#[tokio::test]
async fn requests_that_wait_for_ever_are_refused_and_told_once() {
    let log = OwnersLog::start();
    let mut host = Node::start(listening()).unwrap();
    let never = OnlyFor("nowhere", Arc::new(Semaphore::new(0)));
    host.serve(Services { data: Some(Arc::new(never)), ..Services::default() });
    let address = host.addresses().await.remove(0);
    let stranger = Stranger::connected_to(&address).await;
    let mut asked = Vec::new();
    for _ in 0..30 {
        let mut stream = stranger.propose(DATA, b"{}\n").await.unwrap();
        accepted(&mut stream, DATA).await.unwrap();
        asked.push(stream);
    }
    tokio::time::pause();
    log.has("a request was refused").await;
    tokio::time::resume();
    is_served(&address).await;
    assert_eq!(log.told("a request was refused"), 1);
}

/// Never ends, but for one command.
struct Stuck;

impl Commands for Stuck {
    fn dispatch<'a>(
        &'a self,
        caller: &'a Caller,
        text: &'a str,
        sender: &'a dyn DirectSender,
    ) -> DispatchFuture<'a> {
        Box::pin(async move {
            if text != "!quick" {
                pending::<()>().await;
            }
            sender.send_direct(&caller.peer, "done".to_owned()).await.unwrap();
        })
    }
}

/// A sender that heard nothing could not tell a command that was dropped from one that takes long.
#[tokio::test]
async fn who_sends_more_commands_than_one_peer_may_is_told_so() {
    let log = OwnersLog::start();
    let mut host = Node::start(listening()).unwrap();
    let handle = host.handle();
    let chat = Manager::new(handle.id().clone(), Arc::new(handle), Some(Arc::new(Stuck)));
    host.serve(Services { chat: Some(Arc::new(chat)), ..Services::default() });
    let address = host.addresses().await.remove(0);
    let greedy = TestNode::start(listening());
    let id = greedy.handle.dial(address.clone()).await.unwrap();
    let mut heard = greedy.chat.subscribe();
    let mut replies = Vec::new();
    for number in 0..MAX_DISPATCHES_PER_PEER + 5 {
        greedy.chat.send_direct(&id, format!("!stuck {number}")).await.unwrap();
    }
    while replies.is_empty() {
        let message = timeout(PATIENCE, heard.recv()).await.expect("nothing was answered").unwrap();
        replies.extend((message.from == id).then(|| message.content.clone()));
    }
    assert_eq!(replies, ["Busy, try again later"]);
    let visitor = TestNode::start(listening());
    visitor.handle.dial(address).await.unwrap();
    let mut heard = visitor.chat.subscribe();
    visitor.chat.send_direct(&id, "!quick".to_owned()).await.unwrap();
    assert_eq!(heard.recv().await.unwrap().content, "!quick");
    assert_eq!(heard.recv().await.unwrap().content, "done");
    assert_eq!(log.told("a command was not run"), 1);
}

/// Fifty identities of one machine once used up what the chat takes from everybody.
#[tokio::test]
async fn an_address_that_chats_without_end_under_many_names_silences_only_itself() {
    let log = OwnersLog::start();
    let host = TestNode::start(listening());
    let address = host.address().await;
    for _ in 0..13 {
        let visitor = Node::start(NodeConfig::new(Keypair::generate_ed25519())).unwrap();
        let handle = visitor.handle();
        let id = handle.dial(address.clone()).await.unwrap();
        let message = |number: u32| {
            let message =
                json!({"id": number.to_string(), "from": visitor.id(), "type": "broadcast", "content": "x"});
            message.to_string().into_bytes()
        };
        let messages: Vec<_> = (0..MAX_MESSAGES_PER_MINUTE).map(message).collect();
        for sent in join_all(messages.iter().map(|message| handle.send_chat(&id, message))).await {
            sent.unwrap();
        }
    }
    log.has("1500 messages a minute are taken from one address, 127.0.0.1").await;
    let visitor = TestNode::start(listening());
    let id = visitor.handle.dial(elsewhere(&address, 2).await).await.unwrap();
    let mut heard = visitor.chat.subscribe();
    visitor.chat.send_direct(&id, "!who".to_owned()).await.unwrap();
    assert_eq!(heard.recv().await.unwrap().content, "!who");
    assert_eq!(heard.recv().await.unwrap().content, "you are \"\"");
    assert_eq!(log.told("a chat message was dropped"), 1);
}

/// More at once than one peer may have wait for the disk, which another program has for itself.
#[test]
fn who_asks_for_more_data_at_once_than_one_peer_may_is_told_so() {
    let (_temp, dir) = new_peer("blank");
    let peer = RunningPeer::start(&dir);
    let table = json!({"op": "create-table", "name": "notes", "insert_policy": "open",
                       "column_defs": [{"name": "text", "type": "TEXT"}]});
    goop2(["data", dir.to_str().unwrap(), &table.to_string()]).succeeded();
    let disk = rusqlite::Connection::open(dir.join("data.db")).unwrap();
    disk.execute_batch("BEGIN IMMEDIATE").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let visitor = Node::start(NodeConfig::new(Keypair::generate_ed25519())).unwrap();
        let handle = visitor.handle();
        let id = handle.dial(peer.address().parse().unwrap()).await.unwrap();
        let insert = json!({"op": "insert", "table": "notes", "data": {"text": "x"}});
        let mut asked: FuturesUnordered<_> = (0..10).map(|_| handle.request_data(&id, &insert)).collect();
        for _ in 0..6 {
            let answer = timeout(PATIENCE, asked.next()).await.unwrap().unwrap().unwrap();
            let busy = json!({"ok": false, "error": "busy: too many requests at once, try again later"});
            assert_eq!(answer, busy);
        }
        // One address has half of the turns at most.
        let address = elsewhere(&peer.address().parse().unwrap(), 2).await.to_string();
        let other = tokio::task::spawn_blocking({
            move || goop2(["data", &address, r#"{"op": "query", "table": "notes"}"#]).succeeded()
        });
        other.await.unwrap();
        disk.execute_batch("ROLLBACK").unwrap();
        while let Some(answer) = timeout(PATIENCE, asked.next()).await.unwrap() {
            assert_eq!(answer.unwrap()["ok"], true);
        }
    });
    let log = peer.stop().stderr;
    let told = log.lines().filter(|line| line.contains("a data request was answered with `busy`")).count();
    assert_eq!(told, 1, "{log}");
}

/// A port that takes connections and says nothing.
async fn black_hole() -> u16 {
    let hole = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = hole.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(taken) = hole.accept().await {
            held.push(taken);
        }
    });
    port
}

#[tokio::test]
async fn dials_that_lead_nowhere_are_bounded_and_keep_no_visitor_out() {
    let log = OwnersLog::start();
    let host = TestNode::start(listening());
    let hole = black_hole().await;
    let nobody = || Keypair::generate_ed25519().public().to_peer_id();
    let address = || format!("/ip4/127.0.0.1/tcp/{hole}/p2p/{}", nobody()).parse().unwrap();
    let mut dials: FuturesUnordered<_> = (0..40).map(|_| host.handle.dial(address())).collect();
    for _ in 0..8 {
        let error = timeout(PATIENCE, dials.next()).await.unwrap().unwrap().unwrap_err().to_string();
        assert!(error.ends_with("32 dials are under way; that is the limit"), "{error}");
    }
    is_served(&host.address().await).await;
    assert_eq!(log.told("a limit on dials was met"), 1);
}

#[tokio::test]
async fn a_node_that_dials_everybody_keeps_those_it_uses() {
    let log = OwnersLog::start();
    let host = TestNode::start(listening());
    let others: Vec<_> = (0..60).map(|_| TestNode::start(listening())).collect();
    let first = host.handle.dial(others[0].address().await).await.unwrap();
    for other in &others[1..] {
        let id = host.handle.dial(other.address().await).await.unwrap();
        host.handle.fetch_content(&id).await.unwrap();
        host.handle.fetch_content(&first).await.unwrap();
    }
    for gone in &others[1..12] {
        timeout(PATIENCE, host.handle.disconnected(gone.node.id())).await.expect("it is still connected");
    }
    let kept = host.handle.peers().await;
    assert!(kept.len() == 48 && kept.contains(&first), "{}", kept.len());
    assert_eq!(log.told("a limit on connections was met"), 1);
}

/// Some peers ping on a new stream each time and leave the old ones open.
#[tokio::test]
async fn streams_for_pings_are_few_and_the_newest_is_answered() {
    const PING: &str = "/ipfs/ping/1.0.0";
    let host = TestNode::start(listening());
    let stranger = Stranger::connected_to(&host.address().await).await;
    let mut open = Vec::new();
    for number in 0..20 {
        let mut stream = stranger.propose(PING, &[number; 32]).await.unwrap();
        accepted(&mut stream, PING).await.unwrap();
        let mut pong = [0; 32];
        let read = futures::AsyncReadExt::read_exact(&mut stream, &mut pong);
        timeout(PATIENCE, read).await.expect("a ping was not answered").unwrap();
        assert_eq!(pong, [number; 32]);
        open.push(stream);
    }
    let (old, newest) = open.split_at_mut(16);
    for stream in old {
        let ended =
            async { while stream.write_all(&[0; 32]).await.is_ok() && stream.flush().await.is_ok() {} };
        timeout(PATIENCE, ended).await.expect("an old stream is still answered");
    }
    // Two that ping may each have a stream that is about to end.
    for stream in newest {
        stream.write_all(&[1; 32]).await.unwrap();
        stream.flush().await.unwrap();
        let mut pong = [0; 32];
        let read = futures::AsyncReadExt::read_exact(stream, &mut pong);
        timeout(PATIENCE, read).await.expect("a ping was not answered").unwrap();
    }
    is_served(&host.address().await).await;
}
