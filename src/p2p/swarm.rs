//! The libp2p swarm: how it is composed and bounded, and the loop that drives it.

use std::collections::{HashSet, VecDeque};
use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::transport::ListenerId;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId as Libp2pId, SwarmBuilder, TransportError, identify, noise, ping, tcp, yamux,
};
use tokio::sync::{mpsc, oneshot, watch};

use super::error::NodeError;
use super::streams::{Open, Streams};

/// How long reaching a peer may take: an owner is told within ten seconds, and the rest of those
/// is for starting and printing.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(8);

/// When the transport gives up by itself: a little later, so that whoever waits for the dial is told so
/// in this program's words.
const TRANSPORT_TIMEOUT: Duration = Duration::from_secs(9);

/// How long a connection without streams is kept. A reply to a command comes over the connection
/// of the command, so this is longer than the longest script (60 s).
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Connections in the handshake, before a key is proved: cheap to start, so few at a time.
const MAX_PENDING_INBOUND: u32 = 32;
/// Dials at a time; a person has a few peers open.
const MAX_PENDING_OUTBOUND: u32 = 32;
/// Connections that others made. Each may hold [`MAX_MUXED_STREAMS`] windows of 256 KiB that
/// nobody reads yet: 12 MiB, 576 MiB for all, which takes 48 proved identities that all attack.
const MAX_INBOUND: u32 = 48;
/// Connections that we made.
const MAX_OUTBOUND: u32 = 48;
/// Two peers that dial each other at once have two; one more while an old one dies.
const MAX_PER_PEER: u32 = 3;
/// Streams on one connection, both directions: 24 served, 12 asked for, identify and ping.
/// Yamux ends the connection of a peer that opens more.
const MAX_MUXED_STREAMS: usize = 48;
/// Streams of one connection whose protocol is being negotiated.
const MAX_NEGOTIATING: usize = 24;
/// Peers whose addresses are remembered, so that they can be dialed again by id.
const MAX_REMEMBERED: usize = 256;

/// What a peer says it is, for whoever debugs a mesh.
const AGENT: &str = concat!("goop2/", env!("CARGO_PKG_VERSION"));
/// Identify's protocol version: peers of other networks have others.
const NETWORK: &str = "goop/1.0.0";

/// The parts of the swarm.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    /// First, so that a connection over the limit is denied before the others learn of it.
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    streams: Streams,
}

/// Asked by a handle.
pub(super) enum Command {
    /// Be connected with `peer`: at once if so already, otherwise by dialing `address`, or
    /// whatever address is known. `Err` has the reason.
    Connect { peer: Libp2pId, address: Option<Multiaddr>, reply: oneshot::Sender<Result<(), String>> },
    /// Open a stream on a connection with `peer`.
    Open { peer: Libp2pId, open: Open },
    /// Tell who is connected.
    Connected { reply: oneshot::Sender<Vec<Libp2pId>> },
}

/// Composes the swarm; it does nothing yet.
pub(super) fn build(keypair: Keypair, streams: Streams) -> Result<Swarm<Behaviour>, NodeError> {
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_PENDING_INBOUND))
        .with_max_pending_outgoing(Some(MAX_PENDING_OUTBOUND))
        .with_max_established_incoming(Some(MAX_INBOUND))
        .with_max_established_outgoing(Some(MAX_OUTBOUND))
        .with_max_established_per_peer(Some(MAX_PER_PEER));
    let identify = identify::Config::new(NETWORK.to_owned(), keypair.public())
        .with_agent_version(AGENT.to_owned())
        .with_cache_size(MAX_REMEMBERED);
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        identify: identify::Behaviour::new(identify),
        ping: ping::Behaviour::default(),
        streams,
    };
    let muxer = || {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(MAX_MUXED_STREAMS);
        config
    };
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, muxer)
        .map_err(|error| NodeError::Start { reason: error.to_string() })?
        .with_behaviour(|_| behaviour)
        .map_err(|error| NodeError::Start { reason: error.to_string() })?
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(IDLE_TIMEOUT)
                .with_max_negotiating_inbound_streams(MAX_NEGOTIATING)
                .with_notify_handler_buffer_size(NonZeroUsize::MIN.saturating_add(31))
        })
        .with_connection_timeout(TRANSPORT_TIMEOUT)
        .build();
    Ok(swarm)
}

/// Listens on every address, or on none.
pub(super) fn listen(
    swarm: &mut Swarm<Behaviour>,
    addresses: Vec<Multiaddr>,
) -> Result<HashSet<ListenerId>, NodeError> {
    let mut listeners = HashSet::new();
    for address in addresses {
        let listener = swarm
            .listen_on(address.clone())
            .map_err(|error| NodeError::Listen { address, reason: describe_transport(&error) })?;
        listeners.insert(listener);
    }
    Ok(listeners)
}

/// The swarm and what is going on in it.
pub(super) struct Network {
    swarm: Swarm<Behaviour>,
    /// Listeners that have no address yet.
    silent: HashSet<ListenerId>,
    addresses: watch::Sender<Option<Vec<Multiaddr>>>,
    waiting: Vec<Waiting>,
    /// Addresses where a peer was reached, oldest first.
    reached: VecDeque<(Libp2pId, Multiaddr)>,
}

/// Somebody who waits for a connection.
struct Waiting {
    peer: Libp2pId,
    address: Option<Multiaddr>,
    dial: ConnectionId,
    reply: oneshot::Sender<Result<(), String>>,
}

impl Network {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        silent: HashSet<ListenerId>,
        addresses: watch::Sender<Option<Vec<Multiaddr>>>,
    ) -> Self {
        Self { swarm, silent, addresses, waiting: Vec::new(), reached: VecDeque::new() }
    }

    /// Drives the swarm until the node is gone.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            self.publish_addresses();
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                command = commands.recv() => match command {
                    Some(Command::Connect { peer, address, reply }) => self.connect(peer, address, reply),
                    Some(Command::Open { peer, open }) => {
                        self.swarm.behaviour_mut().streams.open(peer, open);
                    }
                    Some(Command::Connected { reply }) => {
                        let _ = reply.send(self.swarm.connected_peers().copied().collect());
                    }
                    None => return,
                },
            }
        }
    }

    /// Tells the node where it listens, once every listener has said something and has nothing
    /// more to say for now: one listener on all interfaces reports each of them in turn.
    fn publish_addresses(&mut self) {
        while self.silent.is_empty() {
            match self.swarm.select_next_some().now_or_never() {
                Some(event) => self.on_event(event),
                None => break,
            }
        }
        if !self.silent.is_empty() {
            return;
        }
        let own = *self.swarm.local_peer_id();
        let mut known: Vec<_> =
            self.swarm.listeners().map(|address| address.clone().with(Protocol::P2p(own))).collect();
        known.sort();
        self.addresses.send_if_modified(|published| {
            let changed = published.as_ref() != Some(&known);
            if changed {
                *published = Some(known);
            }
            changed
        });
    }

    fn connect(
        &mut self,
        peer: Libp2pId,
        address: Option<Multiaddr>,
        reply: oneshot::Sender<Result<(), String>>,
    ) {
        if self.swarm.is_connected(&peer) {
            let _ = reply.send(Ok(()));
            return;
        }
        let same = |other: &&Waiting| other.peer == peer && other.address == address;
        if let Some(dial) = self.waiting.iter().find(same).map(|other| other.dial) {
            self.waiting.push(Waiting { peer, address, dial, reply });
            return;
        }
        let reached =
            self.reached.iter().find(|(known, _)| *known == peer).map(|(_, address)| address.clone());
        let opts = DialOpts::peer_id(peer).condition(PeerCondition::Always);
        let opts = match (address.clone(), reached) {
            (Some(address), _) => opts.addresses(vec![address]).build(),
            (None, Some(address)) => {
                opts.addresses(vec![address]).extend_addresses_through_behaviour().build()
            }
            (None, None) => opts.build(),
        };
        let dial = opts.connection_id();
        match self.swarm.dial(opts) {
            Ok(()) => self.waiting.push(Waiting { peer, address, dial, reply }),
            Err(error) => {
                let _ = reply.send(Err(describe(&error)));
            }
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                tracing::debug!(%address, "listening");
                self.silent.remove(&listener_id);
            }
            SwarmEvent::ListenerClosed { listener_id, reason, addresses } => {
                tracing::warn!(?addresses, ?reason, "a listener closed");
                self.silent.remove(&listener_id);
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, .. } => {
                self.on_connected(peer_id, connection_id);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                let reason = describe(&error);
                for waiting in self.waiting.extract_if(.., |waiting| waiting.dial == connection_id) {
                    let _ = waiting.reply.send(Err(reason.clone()));
                }
            }
            SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
                tracing::debug!(%error, from = %send_back_addr, "an inbound connection failed");
            }
            _ => {}
        }
    }

    fn on_connected(&mut self, peer: Libp2pId, connection: ConnectionId) {
        for waiting in self.waiting.extract_if(.., |waiting| waiting.peer == peer) {
            if let (true, Some(address)) = (waiting.dial == connection, waiting.address) {
                self.reached.retain(|(known, _)| *known != peer);
                self.reached.push_back((peer, address));
                if self.reached.len() > MAX_REMEMBERED {
                    self.reached.pop_front();
                }
            }
            let _ = waiting.reply.send(Ok(()));
        }
    }
}

/// Why a dial failed, for people.
fn describe(error: &DialError) -> String {
    match error {
        DialError::Transport(tried) => {
            let each =
                tried.iter().map(|(address, error)| format!("{address}: {}", describe_transport(error)));
            each.collect::<Vec<_>>().join("; ")
        }
        DialError::NoAddresses => "no address of it is known; dial it by its address first".to_owned(),
        DialError::WrongPeerId { obtained, .. } => format!("another peer answers there: {obtained}"),
        DialError::LocalPeerId { .. } => "that is this peer itself".to_owned(),
        DialError::Denied { cause } => chain(cause),
        DialError::Aborted => "the attempt was given up".to_owned(),
        DialError::DialPeerConditionFalse(_) => error.to_string(),
    }
}

fn describe_transport(error: &TransportError<std::io::Error>) -> String {
    match error {
        TransportError::MultiaddrNotSupported(_) => {
            "an address must be /ip4 or /ip6 with /tcp for this peer".to_owned()
        }
        TransportError::Other(error) => chain(error),
    }
}

/// The error and what caused it, from the outside in, without the layers that only repeat what is
/// below them.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts = Vec::<String>::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !parts.iter().any(|known| known.contains(&text)) {
            parts.retain(|known| !text.contains(known.as_str()));
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}
