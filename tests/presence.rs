//! Who is online: real nodes that announce themselves over GossipSub, and one that lies.

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use goop2::chat::Transport;
use goop2::p2p::{NodeConfig, PresenceOptions};
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{PeerId as Libp2pId, SwarmBuilder, gossipsub, identify, noise, tcp, yamux};
use serde_json::json;

use crate::nodes::{OwnersLog, PATIENCE, TestNode, listening, present};

#[tokio::test]
async fn peers_see_each_other_come_and_go() {
    let mut host = TestNode::start(present("Ada's peer"));
    let mut visitor = TestNode::start(present("Bob"));
    visitor.handle.dial(host.address().await).await.unwrap();
    host.sees_online("Bob").await;
    visitor.sees_online("Ada's peer").await;
    assert_eq!(host.handle.label_of(visitor.node.id()), "Bob");
    assert_eq!(host.handle.online().len(), 1);
    // Silence would take twice as long as this test has.
    visitor.node.shutdown().await;
    host.sees_offline("Bob").await;
    assert!(host.handle.online().is_empty());
}

#[tokio::test]
async fn a_peer_that_falls_silent_is_offline_after_its_time() {
    let impatient = PresenceOptions {
        ttl: Duration::from_secs(2),
        heartbeat: Duration::from_millis(500),
        ..PresenceOptions::default()
    };
    let mut host = TestNode::start(NodeConfig { presence: Some(impatient), ..listening() });
    let visitor = TestNode::start(present("Bob"));
    visitor.handle.dial(host.address().await).await.unwrap();
    host.sees_online("Bob").await;
    drop(visitor);
    host.sees_offline("Bob").await;
}

#[tokio::test]
async fn what_a_peer_says_reaches_those_that_it_is_not_connected_to() {
    let (mut left, middle) = (TestNode::start(present("left")), TestNode::start(present("middle")));
    let right = TestNode::start(present("right"));
    left.handle.dial(middle.address().await).await.unwrap();
    right.handle.dial(middle.address().await).await.unwrap();
    left.sees_online("right").await;
    right.node.shutdown().await;
    left.sees_offline("right").await;
}

/// The label has to be there when the command is, and nothing but the order of things says so.
#[tokio::test]
async fn a_command_carries_the_label_that_its_caller_announced() {
    let host = TestNode::start(present("host"));
    for (config, reply) in [(present("Bob"), "you are \"Bob\""), (listening(), "you are \"\"")] {
        let announces = config.presence.is_some();
        let visitor = TestNode::start(config);
        let id = visitor.handle.dial(host.address().await).await.unwrap();
        assert_eq!(visitor.handle.announce_to(&id, Duration::from_secs(5)).await, announces);
        let mut heard = visitor.chat.subscribe();
        visitor.chat.send_direct(&id, "!who".into()).await.unwrap();
        assert_eq!(heard.recv().await.unwrap().content, "!who");
        assert_eq!(heard.recv().await.unwrap().content, reply);
    }
}

/// A peer that speaks GossipSub as any other implementation does.
#[derive(NetworkBehaviour)]
struct Stranger {
    gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
}

fn stranger() -> Swarm<Stranger> {
    let keypair = Keypair::generate_ed25519();
    let config = gossipsub::ConfigBuilder::default().build().unwrap();
    let authenticity = gossipsub::MessageAuthenticity::Signed(keypair.clone());
    let mut gossip = gossipsub::Behaviour::new(authenticity, config).unwrap();
    gossip.subscribe(&topic()).unwrap();
    let identify = identify::Behaviour::new(identify::Config::new("ipfs/0.1.0".into(), keypair.public()));
    SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| Stranger { gossip, identify })
        .unwrap()
        .build()
}

fn topic() -> gossipsub::IdentTopic {
    gossipsub::IdentTopic::new("goop.presence.v1")
}

fn announcement(peer: Libp2pId, label: &str, ts: i64) -> Vec<u8> {
    json!({"type": "online", "peerId": peer.to_base58(), "content": label, "ts": ts}).to_string().into()
}

/// Drives the swarm until the host listens to it.
async fn join(swarm: &mut Swarm<Stranger>, host: &TestNode) {
    swarm.dial(host.address().await).unwrap();
    let joined = async {
        while !matches!(
            swarm.select_next_some().await,
            SwarmEvent::Behaviour(StrangerEvent::Gossip(gossipsub::Event::Subscribed { .. }))
        ) {}
    };
    tokio::time::timeout(PATIENCE, joined).await.expect("the host does not listen");
}

#[tokio::test]
async fn nobody_announces_another_peer() {
    let mut host = TestNode::start(present("host"));
    let mut stranger = stranger();
    join(&mut stranger, &host).await;
    let (own, victim) = (*stranger.local_peer_id(), Libp2pId::random());
    for message in
        [announcement(victim, "forged", 1), b"no json".to_vec(), announcement(own, "honest\nline", 2)]
    {
        stranger.behaviour_mut().gossip.publish(topic(), message).unwrap();
    }
    tokio::select! {
        () = host.sees_online("honest line") => {}
        _ = async { loop { stranger.select_next_some().await; } } => {}
    }
    let online: Vec<_> = host.handle.online().into_iter().map(|present| present.label).collect();
    assert_eq!(online, ["honest line"]);
}

/// GossipSub keeps what it hears for a while, so whoever says most would fill the memory.
#[tokio::test]
async fn a_peer_that_floods_is_disconnected_and_others_are_heard() {
    let log = OwnersLog::start();
    let mut host = TestNode::start(present("host"));
    let mut flooder = stranger();
    join(&mut flooder, &host).await;
    let own = *flooder.local_peer_id();
    let flood = async {
        let mut said = 0;
        loop {
            for _ in 0..50 {
                said += 1;
                let _ = flooder.behaviour_mut().gossip.publish(topic(), announcement(own, "flood", said));
            }
            while let Some(event) = flooder.select_next_some().now_or_never() {
                if let SwarmEvent::ConnectionClosed { .. } = event {
                    return;
                }
            }
            // The host, on the same thread, has to keep up.
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, flood).await.expect("the flooder was not disconnected");
    let visitor = TestNode::start(present("Bob"));
    visitor.handle.dial(host.address().await).await.unwrap();
    host.sees_online("Bob").await;
    assert_eq!(log.told("too much gossip"), 1);
}

/// An answer over mDNS that names a peer and where it is said to be.
fn mdns_answer(peer: &Libp2pId, port: u16) -> Vec<u8> {
    let text = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()][..], bytes].concat();
    let service = [text(b"_p2p"), text(b"_udp"), text(b"local"), vec![0]].concat();
    let name = [text(&peer.to_base58().as_bytes()[..32]), service.clone()].concat();
    let record = |name: &[u8], kind: u8, data: &[u8]| {
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        // Of the class of the Internet, and for an hour.
        [name, &[0, kind, 0, 1, 0, 0, 0x0e, 0x10], &length, data].concat()
    };
    let address = text(format!("dnsaddr=/ip4/10.0.0.1/tcp/{port}/p2p/{peer}").as_bytes());
    // One answer, and one record beside it.
    let head = [0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    [&head[..], &record(&service, 12, &name), &record(&name, 16, &address)].concat()
}

/// Whoever is in the local network can make up any number of peers there.
#[tokio::test]
async fn peers_made_up_in_the_local_network_are_forgotten_and_told_once() {
    use std::net::{Ipv4Addr, UdpSocket};
    if !has_multicast() {
        return;
    }
    let log = OwnersLog::start();
    let listen = vec!["/ip4/0.0.0.0/tcp/0".parse().unwrap()];
    let host = TestNode::start(NodeConfig { listen, mdns: true, ..present("host") });
    let address = host.address().await;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let flood = async {
        loop {
            // A few at a time, so that the host takes them from the system; it is on the same thread.
            for _ in 0..20 {
                let _ = socket.send_to(
                    &mdns_answer(&Libp2pId::random(), closed),
                    (Ipv4Addr::new(224, 0, 0, 251), 5353),
                );
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = log.has("too many peers on the local network") => {}
        () = flood => {}
    }
    let visitor = TestNode::start(present("Bob"));
    let id = visitor.handle.dial(address).await.unwrap();
    visitor.handle.fetch_content(&id).await.unwrap();
    assert_eq!(log.told("too many peers on the local network"), 1);
}

/// Whether a datagram to a multicast group comes back to this machine, as it does on a LAN.
fn has_multicast() -> bool {
    use std::net::{Ipv4Addr, UdpSocket};
    let group = Ipv4Addr::new(224, 0, 0, 251);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED).is_ok()
        && socket.send_to(b"x", (group, socket.local_addr().unwrap().port())).is_ok()
        && socket.recv(&mut [0]).is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_of_one_network_find_each_other() {
    let config = |label: &str| {
        let listen = vec!["/ip4/0.0.0.0/tcp/0".parse().unwrap()];
        NodeConfig { listen, mdns: true, ..present(label) }
    };
    let mut one = TestNode::start(config("one"));
    let private = |address: &libp2p::Multiaddr| {
        let text = address.to_string();
        ["/ip4/10.", "/ip4/192.168.", "/ip4/192.0.2.", "/ip4/172.1"].iter().any(|net| text.starts_with(net))
    };
    if !one.node.addresses().await.iter().any(private) || !has_multicast() {
        return;
    }
    let _two = TestNode::start(config("two"));
    one.sees_online("two").await;
}
