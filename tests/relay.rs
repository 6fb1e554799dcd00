//! Two peers that meet through a relay, as two behind NAT have to.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::{Context, Poll};

use futures::StreamExt;
use goop2::p2p::{NodeConfig, NodeEvent};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, Swarm, SwarmEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId, SwarmBuilder, dcutr, identify, noise, relay, tcp, yamux};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::nodes::{ANY_PORT, OwnersLog, PATIENCE, TestNode, listening};

#[derive(NetworkBehaviour)]
struct RelayServer {
    relay: relay::Behaviour,
    identify: identify::Behaviour,
}

/// A relay on this machine: its address, and its task.
async fn start_relay(keypair: Keypair, listen: Multiaddr) -> (Multiaddr, JoinHandle<()>) {
    let own = keypair.public().to_peer_id();
    let identify = identify::Config::new("relay/1".into(), keypair.public());
    let mut swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| RelayServer {
            relay: relay::Behaviour::new(own, relay::Config::default()),
            identify: identify::Behaviour::new(identify),
        })
        .unwrap()
        .build();
    swarm.listen_on(listen).unwrap();
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address;
        }
    };
    swarm.add_external_address(address.clone());
    let task = tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    (address.with(Protocol::P2p(own)), task)
}

fn is_reachable(event: &NodeEvent) -> bool {
    matches!(event, NodeEvent::Reachable { .. })
}

async fn reachable(host: &mut TestNode) -> Multiaddr {
    match host.event(is_reachable).await {
        NodeEvent::Reachable { address } => address,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_nobody_can_dial_is_reached_through_its_relay() {
    let (relay, _task) = start_relay(Keypair::generate_ed25519(), ANY_PORT.parse().unwrap()).await;
    let config = NodeConfig { relay: Some(relay), ..NodeConfig::new(Keypair::generate_ed25519()) };
    let mut host = TestNode::start(NodeConfig { label: "behind NAT".into(), ..config });
    let address = reachable(&mut host).await;
    assert!(address.to_string().contains("/p2p-circuit/p2p/"), "{address}");
    assert!(host.node.addresses().await.contains(&address));
    let visitor = TestNode::start(NodeConfig::new(Keypair::generate_ed25519()));
    let id = visitor.handle.dial(address).await.unwrap();
    assert_eq!(&id, host.node.id());
    assert_eq!(visitor.handle.fetch_content(&id).await.unwrap(), "behind NAT");
    // And back over the same connection.
    let mut heard = visitor.chat.subscribe();
    host.chat.send_direct(visitor.node.id(), "hello".into()).await.unwrap();
    assert_eq!(heard.recv().await.unwrap().content, "hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_met_at_a_relay_connect_directly_and_need_it_no_more() {
    let (relay, task) = start_relay(Keypair::generate_ed25519(), ANY_PORT.parse().unwrap()).await;
    let mut host = TestNode::start(NodeConfig { relay: Some(relay.clone()), ..listening() });
    let address = reachable(&mut host).await;
    let mut visitor = TestNode::start(NodeConfig { relay: Some(relay), ..listening() });
    reachable(&mut visitor).await;
    let id = visitor.handle.dial(address).await.unwrap();
    // Whichever of the two got through.
    let direct = |event: &NodeEvent| matches!(event, NodeEvent::Direct { .. });
    tokio::select! {
        _ = host.event(direct) => {}
        _ = visitor.event(direct) => {}
    }
    task.abort();
    let _ = task.await;
    visitor.handle.fetch_content(&id).await.unwrap();
}

/// Says that it can be reached wherever it is told to say.
struct Claims(VecDeque<Multiaddr>);

impl NetworkBehaviour for Claims {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, never: Infallible) {
        match never {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, Infallible>> {
        match self.0.pop_front() {
            Some(claimed) => Poll::Ready(ToSwarm::NewExternalAddrCandidate(claimed)),
            None => Poll::Pending,
        }
    }
}

/// A stranger that meets others at a relay and lies about where it is.
#[derive(NetworkBehaviour)]
struct Liar {
    relay: relay::client::Behaviour,
    dcutr: dcutr::Behaviour,
    identify: identify::Behaviour,
    claims: Claims,
}

fn liar(claims: Vec<Multiaddr>) -> Swarm<Liar> {
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_relay_client(noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|keypair, relay| Liar {
            relay,
            dcutr: dcutr::Behaviour::new(keypair.public().to_peer_id()),
            identify: identify::Behaviour::new(identify::Config::new("liar/1".into(), keypair.public())),
            claims: Claims(claims.into()),
        })
        .unwrap()
        .build()
}

/// Whoever meets this peer at its relay tells it where to dial, and so could aim it at any port of any host.
#[tokio::test]
async fn a_hole_is_not_punched_to_wherever_a_stranger_points() {
    let log = OwnersLog::start();
    let (relay, _task) = start_relay(Keypair::generate_ed25519(), ANY_PORT.parse().unwrap()).await;
    let mut host = TestNode::start(NodeConfig { relay: Some(relay), ..listening() });
    let address = reachable(&mut host).await;
    let target = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    target.set_nonblocking(true).unwrap();
    let claimed = format!("/ip4/127.0.0.1/tcp/{}", target.local_addr().unwrap().port());
    // One that nobody may be asked to dial spoils the others.
    let mut liar = liar(vec![claimed.parse().unwrap(), "/ip4/0.0.0.0/tcp/22".parse().unwrap()]);
    liar.dial(address.clone()).unwrap();
    let meets = async {
        loop {
            liar.select_next_some().await;
        }
    };
    tokio::select! {
        () = log.has("a dial was refused") => {}
        () = meets => {}
    }
    assert_eq!(target.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    let visitor = TestNode::start(NodeConfig::new(Keypair::generate_ed25519()));
    let id = visitor.handle.dial(address).await.unwrap();
    visitor.handle.fetch_content(&id).await.unwrap();
    assert_eq!(log.told("a dial was refused"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_may_be_named_by_its_host() {
    let (relay, _task) = start_relay(Keypair::generate_ed25519(), ANY_PORT.parse().unwrap()).await;
    let named = relay.to_string().replace("/ip4/127.0.0.1/", "/dns4/localhost/");
    let config =
        NodeConfig { relay: Some(named.parse().unwrap()), ..NodeConfig::new(Keypair::generate_ed25519()) };
    let mut host = TestNode::start(config);
    let address = reachable(&mut host).await;
    let visitor = TestNode::start(NodeConfig::new(Keypair::generate_ed25519()));
    let id = visitor.handle.dial(address).await.unwrap();
    visitor.handle.fetch_content(&id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_comes_back_is_used_again() {
    let keypair = Keypair::generate_ed25519();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen: Multiaddr = format!("/ip4/127.0.0.1/tcp/{free}").parse().unwrap();
    let relay = listen.clone().with(Protocol::P2p(keypair.public().to_peer_id()));
    let mut host = TestNode::start(NodeConfig { relay: Some(relay), ..listening() });
    let (_, task) = start_relay(keypair.clone(), listen.clone()).await;
    reachable(&mut host).await;
    task.abort();
    let _ = task.await;
    let back = async {
        let _again = start_relay(keypair, listen).await;
        reachable(&mut host).await
    };
    timeout(PATIENCE, back).await.expect("the place was not asked for again");
}
