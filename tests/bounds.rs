//! Strangers that misbehave, and visitors who must not notice.

use std::future::poll_fn;
use std::io::Read;
use std::net::TcpStream;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::join_all;
use futures::stream::FuturesUnordered;
use futures::{AsyncWriteExt, StreamExt};
use goop2::chat::MAX_MESSAGES_PER_MINUTE;
use goop2::p2p::{DataService, Node, NodeConfig, NodeError, RespondFuture, Services};
use goop2::script::Caller;
use libp2p::Multiaddr;
use libp2p::core::muxing::StreamMuxerExt;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::cli_support::{RunningPeer, goop2, new_peer};
use crate::nodes::{PATIENCE, TestNode, listening};
use crate::stranger::{Stranger, answer, connect};

fn socket_address(address: &Multiaddr) -> (std::net::IpAddr, u16) {
    let mut parts = address.iter();
    match (parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) => (ip.into(), port),
        other => panic!("{other:?}"),
    }
}

/// Forty sockets that said nothing once kept everybody else out for as long as they liked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_say_nothing_keep_nobody_out() {
    let host = TestNode::start(listening());
    let address = host.address().await;
    let silent: Vec<_> = (0..200).map(|_| TcpStream::connect(socket_address(&address)).unwrap()).collect();
    for _ in 0..3 {
        let visitor = TestNode::start(listening());
        let id = visitor.handle.dial(address.clone()).await.unwrap();
        visitor.handle.fetch_content(&id).await.unwrap();
    }
    // The oldest of them was closed: reading comes to an end, after what the host says first.
    let oldest = silent.into_iter().next().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        oldest.set_read_timeout(Some(PATIENCE)).unwrap();
        (&oldest).read_to_end(&mut Vec::new())
    });
    if let Err(error) = read.await.unwrap() {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
}

/// Identities are free: 48 from one machine once locked everybody else out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identities_without_end_keep_nobody_out() {
    let host = TestNode::start(listening());
    let address = host.address().await;
    let crowd: Vec<_> =
        (0..60).map(|_| Node::start(NodeConfig::new(Keypair::generate_ed25519())).unwrap()).collect();
    let handles: Vec<_> = crowd.iter().map(Node::handle).collect();
    for handle in &handles {
        // Some are closed for those that come later.
        let _ = handle.dial(address.clone()).await;
    }
    let visitor = TestNode::start(listening());
    let id = visitor.handle.dial(address).await.unwrap();
    for _ in 0..20 {
        visitor.handle.fetch_content(&id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_opens_ten_thousand_streams_loses_its_connection() {
    let host = TestNode::start(listening());
    let address = host.address().await;
    let mut muxer = connect(&address).await;
    let mut opened = Vec::new();
    let flood = poll_fn(|cx| {
        loop {
            if let Poll::Ready(Err(_)) = muxer.poll_unpin(cx) {
                return Poll::Ready(());
            }
            match muxer.poll_outbound_unpin(cx) {
                Poll::Ready(Ok(mut stream)) => {
                    // Something to negotiate about, never finished.
                    let _ =
                        futures::AsyncWrite::poll_write(std::pin::Pin::new(&mut stream), cx, b"\x13/multi");
                    opened.push(stream);
                }
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
            if opened.len() > 10_000 {
                return Poll::Ready(());
            }
        }
    });
    timeout(PATIENCE, flood).await.expect("the connection is still open");
    assert!(opened.len() < 10_000, "{} streams are open", opened.len());
    let visitor = TestNode::start(listening());
    let id = visitor.handle.dial(address).await.unwrap();
    visitor.handle.fetch_content(&id).await.unwrap();
}

/// Never answers.
struct Silence;

impl DataService for Silence {
    fn respond<'a>(&'a self, _: &'a Caller, _: &'a str, _: &'a [u8]) -> RespondFuture<'a> {
        Box::pin(std::future::pending())
    }
}

fn silent_host() -> Node {
    let mut host = Node::start(listening()).unwrap();
    host.serve(Services { data: Some(Arc::new(Silence)), ..Services::default() });
    host
}

/// Six identities of one machine once took every place; the seventh visitor got nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_take_for_ever_leave_room_for_others() {
    let host = silent_host();
    let address = host.addresses().await.remove(0);
    let greedy: Vec<_> = (0..6).map(|_| TestNode::start(listening())).collect();
    let mut requests = JoinSet::new();
    for node in &greedy {
        let id = node.handle.dial(address.clone()).await.unwrap();
        for _ in 0..12 {
            let (handle, id) = (node.handle.clone(), id.clone());
            requests.spawn(async move { handle.request_data(&id, &json!({"op": "tables"})).await });
        }
    }
    // More than one address may have: some are ended for others of the same address.
    timeout(PATIENCE, requests.join_next())
        .await
        .expect("no request was ended")
        .unwrap()
        .unwrap()
        .unwrap_err();
    let visitor = TestNode::start(listening());
    let id = visitor.handle.dial(address).await.unwrap();
    for _ in 0..5 {
        visitor.handle.fetch_content(&id).await.unwrap();
    }
}

/// Answers nobody until so many are asked.
struct Together(tokio::sync::watch::Sender<usize>);

impl DataService for Together {
    fn respond<'a>(&'a self, _: &'a Caller, _: &'a str, _: &'a [u8]) -> RespondFuture<'a> {
        Box::pin(async {
            self.0.send_modify(|asked| *asked += 1);
            let _ = self.0.subscribe().wait_for(|asked| *asked >= 24).await;
            b"{}".to_vec()
        })
    }
}

const DATA: &str = "/goop/data/1.0.0";

/// How many of so many requests, sent before the first answer is read, are answered.
async fn answered_of(number: usize, stranger: &Stranger) -> usize {
    let asked = join_all((0..number).map(|_| stranger.propose(DATA, b"{}\n"))).await;
    let answers = asked.into_iter().map(|stream| async { answer(stream.ok()?, DATA).await.ok() });
    let answers =
        timeout(PATIENCE, join_all(answers)).await.expect("a request was neither answered nor reset");
    answers.iter().flatten().filter(|text| *text == "{}\n").count()
}

/// A page with thirty pictures lost six of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_too_many_at_once_wait_for_their_turn() {
    let mut host = Node::start(listening()).unwrap();
    host.serve(Services { data: Some(Arc::new(Together(Default::default()))), ..Services::default() });
    let stranger = Stranger::connected_to(&host.addresses().await.remove(0)).await;
    assert_eq!(answered_of(40, &stranger).await, 40);
    // Sixty at once ended the connection, and with it those within the limit.
    let answered = answered_of(60, &stranger).await;
    assert!(answered >= 40, "{answered}");
    assert_eq!(answered_of(40, &stranger).await, 40, "the connection is as good as before");
}

/// Each request to a peer that answers none once waited for ever, with all that it held.
#[tokio::test]
async fn requests_to_a_peer_that_never_answers_do_not_pile_up() {
    let host = silent_host();
    let visitor = TestNode::start(listening());
    let id = visitor.handle.dial(host.addresses().await.remove(0)).await.unwrap();
    let request = json!({"op": "tables"});
    let mut requests: FuturesUnordered<_> =
        (0..300).map(|_| visitor.handle.request_data(&id, &request)).collect();
    let first = timeout(PATIENCE, requests.next()).await.expect("nothing was refused").unwrap();
    assert!(matches!(first, Err(NodeError::Busy { .. })), "{first:?}");
}

/// A peer's claim of where it is once was dialed, so that a stranger aimed this peer's connections
/// at any port of the owner's network.
#[tokio::test]
async fn an_address_that_a_peer_claims_is_never_dialed() {
    let host = TestNode::start(listening());
    let visitor = TestNode::start(listening());
    let claimed = visitor.address().await;
    let id = visitor.node.id().clone();
    let known = visitor.handle.dial(host.address().await).await.unwrap();
    visitor.handle.fetch_content(&known).await.unwrap();
    // The host has heard the claim: identify comes first on each connection.
    host.handle.fetch_content(&id).await.unwrap();
    visitor.node.shutdown().await;
    host.handle.disconnected(&id).await;
    let target = std::net::TcpListener::bind(socket_address(&claimed)).unwrap();
    target.set_nonblocking(true).unwrap();
    let error = host.handle.fetch_content(&id).await.unwrap_err().to_string();
    assert!(error.contains("no address of it is known"), "{error}");
    assert_eq!(target.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

/// A flood that fills the owner's log hides everything else in it.
#[test]
fn a_bound_that_is_met_a_thousand_times_is_told_once() {
    let (_temp, dir) = new_peer("blank");
    let peer = RunningPeer::start(&dir);
    let address = socket_address(&peer.address().parse().unwrap());
    let _silent: Vec<_> = (0..300).map(|_| TcpStream::connect(address).unwrap()).collect();
    goop2(["get", peer.address(), "/"]).succeeded();
    let log = peer.stop().stderr;
    let told = log.lines().filter(|line| line.contains("did not prove who they are")).count();
    assert_eq!(told, 1, "{log}");
}

/// A visitor who is turned away asks the owner why, and the log had nothing.
#[test]
fn whatever_bound_is_met_is_in_the_log() {
    let (_temp, dir) = new_peer("blank");
    let peer = RunningPeer::start(&dir);
    let address: Multiaddr = peer.address().parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stranger = runtime.block_on(Stranger::connected_to(&address));
    let _silent = runtime.block_on(stranger.propose("/goop/site/1.0.0", b"GET /")).unwrap();
    runtime.block_on(async {
        let long = [vec![b'x'; goop2::p2p::MAX_DATA_REQUEST_BYTES + 1], b"\n".to_vec()].concat();
        let refused = answer(stranger.propose(DATA, &long).await.unwrap(), DATA).await.unwrap();
        assert!(refused.contains("longer than"), "{refused}");
        // Nobody ends these: each is a request that never comes.
        let mut open = Vec::new();
        for _ in 0..60 {
            open.push(stranger.stream().await.unwrap());
            open.last_mut().unwrap().write_all(b"\x13/multi").await.unwrap();
        }
    });
    peer.logged("a request was too long");
    peer.logged("a connection had too many streams");
    runtime.block_on(async {
        let visitor = Node::start(NodeConfig::new(Keypair::generate_ed25519())).unwrap();
        let id = visitor.handle().dial(address).await.unwrap();
        for number in 0..=MAX_MESSAGES_PER_MINUTE {
            let (from, to) = (visitor.id(), &id);
            let message =
                json!({"id": number.to_string(), "from": from, "to": to, "type": "direct", "content": "x"});
            visitor.handle().send_chat(&id, message.to_string().as_bytes()).await.unwrap();
        }
    });
    peer.logged("a chat message was dropped");
    peer.logged("a request was given up");
}

#[test]
fn the_owner_chooses_how_many_connections_there_are() {
    let (_temp, dir) = new_peer("blank");
    let file = dir.join("goop.json");
    let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    config["p2p"]["max_connections_per_address"] = json!(0);
    std::fs::write(&file, config.to_string()).unwrap();
    let refused = goop2(["peer", dir.to_str().unwrap()]);
    refused.failed(2, "p2p.max_connections_per_address must be between 1 and 10000, found 0");
    config["p2p"]["max_connections_per_address"] = json!(70);
    std::fs::write(&file, config.to_string()).unwrap();
    let peer = RunningPeer::start(&dir);
    let address: Multiaddr = peer.address().parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let crowd: Vec<_> =
            (0..60).map(|_| Node::start(NodeConfig::new(Keypair::generate_ed25519())).unwrap()).collect();
        let handles: Vec<_> = crowd.iter().map(Node::handle).collect();
        for handle in &handles {
            handle.dial(address.clone()).await.unwrap();
        }
        let id = peer.ready["peer_id"].as_str().unwrap().to_owned();
        let id = goop2::peer_id::PeerId::parse(&id).unwrap();
        let gone = join_all(handles.iter().map(|handle| async {
            timeout(Duration::from_millis(1), handle.disconnected(&id)).await.is_ok()
        }));
        assert!(gone.await.iter().all(|gone| !gone), "a connection was closed below the limit");
    });
}
