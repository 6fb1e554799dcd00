//! Two real nodes, over TCP, Noise and Yamux on this machine.

use std::sync::Arc;

use futures::future::join_all;
use goop2::chat::{Commands, DispatchFuture, HistoryPage, Manager, Message, MessageKind};
use goop2::p2p::{DataService, Node, NodeConfig, NodeError, NodeHandle, RespondFuture, Services};
use goop2::peer_id::PeerId;
use goop2::script::{Caller, DirectSender};
use goop2::site::SiteServer;
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use serde_json::json;

const ANY_PORT: &str = "/ip4/127.0.0.1/tcp/0";

/// Answers a data request with itself, its caller and where that comes from.
struct Echo;

impl DataService for Echo {
    fn respond<'a>(&'a self, caller: &'a Caller, origin: &'a str, line: &'a [u8]) -> RespondFuture<'a> {
        let request = String::from_utf8_lossy(line).into_owned();
        Box::pin(async move {
            let answer = json!({"ok": true, "data": request, "by": caller.peer, "from": origin});
            answer.to_string().into_bytes()
        })
    }
}

/// Answers every command with `pong`.
struct Pong;

impl Commands for Pong {
    fn dispatch<'a>(
        &'a self,
        caller: &'a Caller,
        text: &'a str,
        sender: &'a dyn DirectSender,
    ) -> DispatchFuture<'a> {
        Box::pin(async move { sender.send_direct(&caller.peer, format!("pong to {text}")).await.unwrap() })
    }
}

struct Peer {
    node: Node,
    handle: NodeHandle,
    chat: Arc<Manager>,
    dir: tempfile::TempDir,
}

impl Peer {
    fn start(listen: &[&str]) -> Self {
        let listen = listen.iter().map(|address| address.parse().unwrap()).collect();
        let config =
            NodeConfig { listen, label: "Bob's peer".into(), ..NodeConfig::new(Keypair::generate_ed25519()) };
        let mut node = Node::start(config).unwrap();
        let handle = node.handle();
        let chat =
            Arc::new(Manager::new(handle.id().clone(), Arc::new(handle.clone()), Some(Arc::new(Pong))));
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("lua")).unwrap();
        std::fs::write(dir.path().join("index.html"), "hello").unwrap();
        std::fs::write(dir.path().join("lua/quiz.lua"), "secret").unwrap();
        let site = Arc::new(SiteServer::new(dir.path(), dir.path().join("lua")));
        node.serve(Services { chat: Some(chat.clone()), data: Some(Arc::new(Echo)), site: Some(site) });
        Self { node, handle, chat, dir }
    }

    async fn address(&self) -> Multiaddr {
        self.node.addresses().await.first().unwrap().clone()
    }
}

/// A host that listens, and a visitor that does not and is connected to it.
async fn host_and_visitor() -> (Peer, Peer, PeerId) {
    let (host, visitor) = (Peer::start(&[ANY_PORT]), Peer::start(&[]));
    let id = visitor.handle.dial(host.address().await).await.unwrap();
    assert_eq!(&id, host.node.id());
    (host, visitor, id)
}

#[tokio::test]
async fn a_visitor_fetches_the_site_and_never_a_script() {
    let (host, visitor, id) = host_and_visitor().await;
    let (mime, bytes) = visitor.handle.fetch_site(&id, "/").await.unwrap();
    assert_eq!((mime.as_str(), bytes.as_slice()), ("text/html; charset=utf-8", b"hello".as_slice()));
    let picture: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(host.dir.path().join("picture.png"), &picture).unwrap();
    assert!(visitor.handle.fetch_site(&id, "/picture.png").await.unwrap().1 == picture);
    for path in ["/lua/quiz.lua", "/LUA/quiz.lua", "/../x"] {
        let error = visitor.handle.fetch_site(&id, path).await.unwrap_err().to_string();
        assert!(error.ends_with("the peer refused: forbidden"), "{error}");
    }
}

/// Streams that arrive together were once lost but for the first, so that a page came without
/// some of its files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_at_once_are_all_answered() {
    let (_host, visitor, id) = host_and_visitor().await;
    let fetched = join_all((0..60).map(|_| visitor.handle.fetch_site(&id, "/index.html"))).await;
    for result in fetched {
        assert_eq!(result.unwrap().1, b"hello");
    }
}

#[tokio::test]
async fn data_and_label_travel_with_the_authenticated_caller() {
    let (_host, visitor, id) = host_and_visitor().await;
    let answer = visitor.handle.request_data(&id, &json!({"op": "tables"})).await.unwrap();
    let expected =
        json!({"ok": true, "data": "{\"op\":\"tables\"}", "by": visitor.node.id(), "from": "127.0.0.1"});
    assert_eq!(answer, expected);
    assert_eq!(visitor.handle.fetch_content(&id).await.unwrap(), "Bob's peer");
}

/// The visitor listens nowhere, so the reply and the host's own message can only come over the
/// connection that the visitor made.
#[tokio::test]
async fn a_reply_reaches_a_visitor_that_listens_nowhere() {
    let (host, visitor, id) = host_and_visitor().await;
    let mut heard = visitor.chat.subscribe();
    visitor.chat.send_direct(&id, "!ping".into()).await.unwrap();
    // The visitor's own message, then the reply.
    assert_eq!(heard.recv().await.unwrap().content, "!ping");
    let reply = heard.recv().await.unwrap();
    assert_eq!((reply.content.as_str(), &reply.from), ("pong to !ping", host.node.id()));
    host.chat.send_direct(visitor.node.id(), "and hello".into()).await.unwrap();
    assert_eq!(heard.recv().await.unwrap().content, "and hello");
}

#[tokio::test]
async fn a_message_with_another_sender_is_dropped() {
    let (host, visitor, id) = host_and_visitor().await;
    let mut heard = host.chat.subscribe();
    let message = |sender: &PeerId, content: &str| Message {
        id: content.into(),
        from: sender.clone(),
        to: id.as_str().into(),
        kind: MessageKind::Direct,
        content: content.into(),
        timestamp: 0,
        site_id: None,
    };
    let forged = message(&id, "!forged").encode().unwrap();
    visitor.handle.send_chat(&id, &forged).await.unwrap();
    visitor.handle.send_chat(&id, b"no json").await.unwrap();
    let honest = message(visitor.node.id(), "honest").encode().unwrap();
    visitor.handle.send_chat(&id, &honest).await.unwrap();
    assert_eq!(heard.recv().await.unwrap().content, "honest");
    assert_eq!(host.chat.history(HistoryPage::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_unreachable_peer_is_reported_with_the_reason() {
    let (host, visitor) = (Peer::start(&[ANY_PORT]), Peer::start(&[]));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // A peer of another kind: it negotiates as libp2p does, and knows no encryption of ours.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let other_port = other.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"\x13/multistream/1.0.0\n\x03na\n").unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let stranger = Keypair::generate_ed25519().public().to_peer_id();
    let real = host.address().await.to_string();
    let (bare, _) = real.split_once("/p2p/").unwrap();
    for (address, reason) in [
        (format!("/ip4/127.0.0.1/tcp/{free}/p2p/{stranger}"), "refused (os"),
        (
            format!("/ip4/127.0.0.1/tcp/{other_port}/p2p/{stranger}"),
            "Handshake failed: Protocol negotiation failed",
        ),
        (format!("{bare}/p2p/{stranger}"), "another peer answers there"),
        (bare.to_owned(), "does not name a peer"),
        (format!("/dnsaddr/example.org/p2p/{stranger}"), "which this program does not look up"),
        (format!("/ip4/127.0.0.1/udp/1/quic-v1/p2p/{stranger}"), "must be /ip4, /ip6 or /dns with /tcp"),
    ] {
        let error = visitor.handle.dial(address.parse().unwrap()).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error} should contain {reason}");
    }
    let error = host.handle.dial(host.address().await).await.unwrap_err().to_string();
    assert!(error.contains("this peer itself"), "{error}");
    let error = visitor.handle.fetch_site(host.node.id(), "/").await.unwrap_err().to_string();
    assert!(error.contains("no address of it is known"), "{error}");
}

/// A host that takes the connection and says nothing. The clock is paused: it jumps to the limit.
#[tokio::test(start_paused = true)]
async fn a_host_that_says_nothing_is_given_up_within_ten_seconds() {
    let visitor = Peer::start(&[]);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let stranger = Keypair::generate_ed25519().public().to_peer_id();
    let start = tokio::time::Instant::now();
    let dialed = visitor.handle.dial(format!("/ip4/127.0.0.1/tcp/{port}/p2p/{stranger}").parse().unwrap());
    let error = dialed.await.unwrap_err().to_string();
    assert!(error.ends_with("no answer within 8 s"), "{error}");
    assert!(start.elapsed().as_secs() < 10);
}

#[tokio::test]
async fn ipv6_works_where_the_machine_has_it() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let (host, visitor) = (Peer::start(&["/ip6/::1/tcp/0"]), Peer::start(&[]));
    let id = visitor.handle.dial(host.address().await).await.unwrap();
    assert_eq!(visitor.handle.fetch_site(&id, "/").await.unwrap().1, b"hello");
    let answer = visitor.handle.request_data(&id, &json!({})).await.unwrap();
    assert_eq!(answer["from"], "::/64");
}

/// When a connection is gone, asking the peer again dials the address where it was reached.
#[tokio::test]
async fn a_peer_that_was_reached_is_dialed_again_by_its_id() {
    let visitor = Peer::start(&[]);
    let keypair = Keypair::generate_ed25519();
    let first = NodeConfig {
        listen: vec![ANY_PORT.parse().unwrap()],
        label: "1".into(),
        ..NodeConfig::new(keypair.clone())
    };
    let first = Node::start(first).unwrap();
    let moved = first.addresses().await.remove(0);
    let id = visitor.handle.dial(moved.clone()).await.unwrap();
    first.shutdown().await;
    let listen = vec![moved.to_string().split_once("/p2p/").unwrap().0.parse().unwrap()];
    let mut second =
        Node::start(NodeConfig { listen, label: "2".into(), ..NodeConfig::new(keypair) }).unwrap();
    second.serve(Services::default());
    // The visitor may learn that the old connection is dead only by using it.
    let asked = async {
        loop {
            if let Ok(label) = visitor.handle.fetch_content(&id).await {
                return label;
            }
        }
    };
    let label = tokio::time::timeout(std::time::Duration::from_secs(30), asked).await;
    assert_eq!(label.unwrap(), "2");
}

#[tokio::test]
async fn a_protocol_that_the_peer_does_not_offer_is_named() {
    let config = |listen| NodeConfig { listen, ..NodeConfig::new(Keypair::generate_ed25519()) };
    let mut quiet = Node::start(config(vec![ANY_PORT.parse().unwrap()])).unwrap();
    quiet.serve(Services::default());
    let visitor = Node::start(config(vec![])).unwrap();
    let handle = visitor.handle();
    let id = handle.dial(quiet.addresses().await.remove(0)).await.unwrap();
    let error = handle.request_data(&id, &json!({})).await.unwrap_err();
    assert!(matches!(error, NodeError::UnsupportedProtocol { .. }), "{error}");
    assert!(error.to_string().ends_with("does not support /goop/data/1.0.0"), "{error}");
    let error = handle.fetch_site(&id, "/").await.unwrap_err().to_string();
    assert!(error.ends_with("the peer refused: site disabled"), "{error}");
}

#[tokio::test]
async fn every_listener_is_reported_with_its_port_and_peer() {
    let peer = Peer::start(&[ANY_PORT, ANY_PORT]);
    let addresses = peer.node.addresses().await;
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    for address in addresses {
        let text = address.to_string();
        assert!(text.ends_with(&format!("/p2p/{}", peer.node.id())) && !text.contains("/tcp/0/"), "{text}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = vec![format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port()).parse().unwrap()];
    let config = NodeConfig { listen, ..NodeConfig::new(Keypair::generate_ed25519()) };
    let error = Node::start(config).err().unwrap().to_string();
    assert!(error.starts_with("can't listen on /ip4/127.0.0.1/tcp/"), "{error}");
    let listen = vec!["/dns/localhost/tcp/0".parse().unwrap()];
    let config = NodeConfig { listen, ..NodeConfig::new(Keypair::generate_ed25519()) };
    let error = Node::start(config).err().unwrap().to_string();
    assert!(error.starts_with("can't listen on /dns/localhost/tcp/0: a peer listens at /ip4/"), "{error}");
}

#[tokio::test]
async fn a_stopped_node_answers_nobody_and_frees_what_it_held() {
    let (host, visitor, id) = host_and_visitor().await;
    visitor.handle.fetch_site(&id, "/").await.unwrap();
    let (handle, chat) = (host.handle.clone(), Arc::downgrade(&host.chat));
    host.node.shutdown().await;
    drop(host.chat);
    assert!(chat.upgrade().is_none(), "the node still holds the chat");
    assert!(matches!(handle.fetch_content(visitor.node.id()).await, Err(NodeError::Stopped)));
    assert!(visitor.handle.fetch_site(&id, "/").await.is_err());
}

#[tokio::test]
async fn a_broadcast_reaches_every_connected_peer() {
    let (host, first, id) = host_and_visitor().await;
    let second = Peer::start(&[]);
    second.handle.dial(host.node.addresses().await.remove(0)).await.unwrap();
    for visitor in [&first, &second] {
        // Its answer shows that the host knows of the connection too.
        visitor.handle.fetch_content(&id).await.unwrap();
    }
    let (mut at_first, mut at_second) = (first.chat.subscribe(), second.chat.subscribe());
    let sent = host.chat.broadcast("hello, all".to_owned()).await.unwrap();
    assert_eq!((sent.delivered.len(), sent.failed.len()), (2, 0), "{sent:?}");
    for heard in [&mut at_first, &mut at_second] {
        let message = heard.recv().await.unwrap();
        assert_eq!((message.kind, message.content.as_str()), (MessageKind::Broadcast, "hello, all"));
        assert_eq!(message.from, *host.node.id());
    }
}
