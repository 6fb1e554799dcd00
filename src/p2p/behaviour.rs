//! The libp2p swarm: what it is composed of, and how it is bounded.

use std::num::NonZeroUsize;
use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{Config as SwarmConfig, NetworkBehaviour, Swarm};
use libp2p::{Multiaddr, Transport, dcutr, identify, noise, relay, tcp, yamux};

use super::dial_guard::DialGuard;
use super::discovery::Discovery;
use super::error::NodeError;
use super::handshakes::Handshakes;
use super::limits::{MAX_MUXED_STREAMS, MAX_NEGOTIATING};
use super::muxer::Bounded;
use super::node::NodeConfig;
use super::notices::Notices;
use super::origin::Reach;
use super::ping::Pings;
use super::presence::Gossip;
use super::streams::Streams;

/// When the transport gives up a dial by itself: a little later than whoever waits for it, who is
/// then told so in this program's words.
const TRANSPORT_TIMEOUT: Duration = Duration::from_secs(9);

/// How long a connection without streams is kept. A reply to a command comes over the connection
/// of the command, so this is longer than the longest script (60 s).
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// What a peer says it is, for whoever debugs a mesh.
const AGENT: &str = concat!("goop2/", env!("CARGO_PKG_VERSION"));
/// Identify's protocol version: peers of other networks have others.
const NETWORK: &str = "goop/1.0.0";

/// The parts of the swarm.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    /// First, so that a connection over a limit is denied before the others learn of it.
    pub(super) streams: Streams,
    pub(super) guard: DialGuard,
    identify: identify::Behaviour,
    ping: Pings,
    /// Off in a client, which announces nothing.
    pub(super) gossip: Toggle<Gossip>,
    mdns: Toggle<Discovery>,
    relay: relay::client::Behaviour,
    dcutr: dcutr::Behaviour,
}

/// Composes the swarm; it does nothing yet.
pub(super) fn build(
    config: &NodeConfig,
    streams: Streams,
    notices: &Notices,
) -> Result<Swarm<Behaviour>, NodeError> {
    let failed = |reason: String| NodeError::Start { reason };
    let keypair = &config.keypair;
    let own = keypair.public().to_peer_id();
    let (relayed, relay) = relay::client::new(own);
    let told = notices.clone();
    let connected = relayed
        .or_transport(tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)))
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair).map_err(|error| failed(error.to_string()))?)
        .multiplex(muxer())
        .timeout(TRANSPORT_TIMEOUT)
        .map(move |(peer, muxer), _| (peer, StreamMuxerBox::new(Bounded::new(muxer, peer, told.clone()))))
        .boxed();
    let transport = Handshakes::new(connected, config.limits.handshakes(), notices.clone()).boxed();
    let gossip = match &config.presence {
        Some(presence) => Some(Gossip::new(keypair, &presence.topic, notices.clone()).map_err(failed)?),
        None => None,
    };
    let behaviour = Behaviour {
        streams,
        guard: DialGuard::new(notices.clone()),
        identify: identify(keypair),
        ping: Pings::default(),
        gossip: gossip.into(),
        mdns: discovery(config, notices).into(),
        relay,
        dcutr: dcutr::Behaviour::new(own),
    };
    let swarm_config = SwarmConfig::with_tokio_executor()
        .with_idle_connection_timeout(IDLE_TIMEOUT)
        .with_max_negotiating_inbound_streams(MAX_NEGOTIATING)
        .with_notify_handler_buffer_size(NonZeroUsize::MIN.saturating_add(31));
    Ok(Swarm::new(transport, behaviour, own, swarm_config))
}

fn muxer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(MAX_MUXED_STREAMS);
    config
}

/// Without a cache: the addresses that a peer says it has are never dialed.
fn identify(keypair: &Keypair) -> identify::Behaviour {
    let config = identify::Config::new(NETWORK.to_owned(), keypair.public())
        .with_agent_version(AGENT.to_owned())
        .with_cache_size(0);
    identify::Behaviour::new(config)
}

/// mDNS, where it is wanted and anyone could reach what it tells. A machine without a network has
/// none, and still starts.
fn discovery(config: &NodeConfig, notices: &Notices) -> Option<Discovery> {
    let reachable = |address: &Multiaddr| {
        Reach::of(address) != Some(Reach::Loopback) && !address.iter().any(|p| p == Protocol::P2pCircuit)
    };
    if !config.mdns || !config.listen.iter().any(reachable) {
        return None;
    }
    match Discovery::new(config.keypair.public().to_peer_id(), notices.clone()) {
        Ok(discovery) => Some(discovery),
        Err(error) => {
            tracing::warn!(%error, "peers on the local network are not looked for");
            None
        }
    }
}
