//! The loop that drives the swarm: what handles ask, what happens, what is due.

use std::collections::HashSet;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId as Libp2pId, mdns};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::behaviour::{Behaviour, BehaviourEvent};
use super::dialing::{ConnectReply, Dialing, NO_ADDRESS, describe, describe_transport};
use super::discovery::Found;
use super::error::NodeError;
use super::herald::Herald;
use super::identity::to_peer_id;
use super::lan::LanPeers;
use super::node::NodeEvent;
use super::port::{LISTEN_FORM, is_listenable, is_taken};
use super::reservation::Reservation;
use super::streams::Open;

/// How long reaching a peer may take: an owner is told within ten seconds, and the rest of those
/// is for starting and printing.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(8);

/// How often what depends on time is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Asked by a handle.
pub(super) enum Command {
    /// Be connected with `peer`: at once if so already, otherwise by dialing `target`, or
    /// wherever it was reached before.
    Connect { peer: Libp2pId, target: Option<Target>, reply: ConnectReply },
    /// Open a stream on a connection with `peer`.
    Open { peer: Libp2pId, open: Open },
    /// Tell who is connected.
    Connected { reply: oneshot::Sender<Vec<Libp2pId>> },
    /// Reply once there is no connection with `peer`.
    WhenGone { peer: Libp2pId, reply: oneshot::Sender<()> },
    /// Reply once `peer` was sent an announcement of this peer.
    WhenTold { peer: Libp2pId, reply: oneshot::Sender<()> },
    /// Say that this peer goes; the reply says whether anyone was told.
    Farewell { reply: oneshot::Sender<bool> },
}

/// Where a peer is to be dialed.
pub(super) struct Target {
    /// As the owner or user said.
    pub(super) named: Multiaddr,
    /// The same with the addresses of its host, if it was named.
    pub(super) at: Vec<Multiaddr>,
}

/// Listens on every address, or on none.
pub(super) fn listen(
    swarm: &mut Swarm<Behaviour>,
    addresses: &[Multiaddr],
) -> Result<HashSet<ListenerId>, NodeError> {
    if let Some(address) = addresses.iter().find(|address| !is_listenable(address)) {
        return Err(NodeError::Listen { address: address.clone(), reason: LISTEN_FORM.to_owned() });
    }
    // All before the first is listened at, which would make it taken.
    if let Some(address) = addresses.iter().find(|address| is_taken(address)) {
        let reason = "it is in use by another program".to_owned();
        return Err(NodeError::Listen { address: address.clone(), reason });
    }
    let mut listeners = HashSet::new();
    for address in addresses {
        let listener = swarm.listen_on(address.clone()).map_err(|error| NodeError::Listen {
            address: address.clone(),
            reason: describe_transport(&error),
        })?;
        listeners.insert(listener);
    }
    Ok(listeners)
}

/// The swarm and what is going on in it.
pub(super) struct Network {
    pub(super) swarm: Swarm<Behaviour>,
    /// Listeners that have no address yet.
    pub(super) silent: HashSet<ListenerId>,
    /// Whether `addresses` is to be looked at again.
    pub(super) listening_changed: bool,
    pub(super) addresses: watch::Sender<Option<Vec<Multiaddr>>>,
    pub(super) events: broadcast::Sender<NodeEvent>,
    pub(super) herald: Option<Herald>,
    pub(super) relay: Option<Reservation>,
    pub(super) dialing: Dialing,
    pub(super) lan: LanPeers,
    /// Who waits until a peer is gone.
    pub(super) leaving: Vec<(Libp2pId, oneshot::Sender<()>)>,
}

impl Network {
    /// Drives the swarm until the node is gone.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut tick = Instant::now();
        loop {
            if self.listening_changed {
                self.publish_addresses();
            }
            let due = self.herald.as_ref().map_or(tick, |herald| herald.due().min(tick));
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => return,
                },
                () = sleep_until(due), if self.has_chores() => {
                    let now = Instant::now();
                    tick = if tick <= now { now + TICK } else { tick };
                    self.on_time(now);
                }
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Connect { peer, target, reply } => self.connect(peer, target, reply),
            Command::Open { peer, open } => self.swarm.behaviour_mut().streams.open(peer, open),
            Command::Connected { reply } => {
                drop(reply.send(self.swarm.connected_peers().copied().collect()));
            }
            Command::WhenGone { peer, reply } if self.swarm.is_connected(&peer) => {
                self.leaving.retain(|(_, reply)| !reply.is_closed());
                self.leaving.push((peer, reply));
            }
            Command::WhenGone { reply, .. } => drop(reply.send(())),
            Command::WhenTold { peer, reply } => {
                if let Some(herald) = &mut self.herald {
                    herald.when_told(peer, reply);
                }
            }
            Command::Farewell { reply } => {
                // Taken, so that no heartbeat takes it back.
                let herald = self.herald.take();
                let heard = herald.is_some_and(|mut herald| herald.farewell(&mut self.swarm));
                let _ = reply.send(heard);
            }
        }
    }

    /// Whether time alone can make something due.
    fn has_chores(&self) -> bool {
        self.herald.is_some() || self.relay.is_some() || !self.lan.is_empty()
    }

    fn on_time(&mut self, now: Instant) {
        if let Some(herald) = &mut self.herald {
            herald.announce_if_due(&mut self.swarm, now);
            for event in herald.expire(now) {
                let _ = self.events.send(NodeEvent::Presence(event));
            }
        }
        if let Some(relay) = &mut self.relay {
            relay.reserve_if_due(&mut self.swarm, now);
        }
        for (peer, addresses) in self.lan.due(now, |peer| self.swarm.is_connected(peer)) {
            self.dial(peer, addresses);
        }
    }

    /// Dials what nobody waits for.
    fn dial(&mut self, peer: Libp2pId, addresses: Vec<Multiaddr>) {
        let condition = PeerCondition::DisconnectedAndNotDialing;
        let opts = DialOpts::peer_id(peer).condition(condition).addresses(addresses).build();
        self.swarm.behaviour_mut().guard.permit(opts.connection_id());
        if let Err(error) = self.swarm.dial(opts) {
            tracing::debug!(%peer, reason = describe(&error), "not dialed");
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
        if self.silent.is_empty() {
            self.listening_changed = false;
            self.refresh_addresses();
        }
    }

    fn refresh_addresses(&self) {
        let own = *self.swarm.local_peer_id();
        let mut known: Vec<_> = self.swarm.listeners().map(|address| with_peer(address, own)).collect();
        known.sort();
        self.addresses.send_if_modified(|published| {
            let changed = published.as_ref() != Some(&known);
            if changed {
                *published = Some(known);
            }
            changed
        });
    }

    fn connect(&mut self, peer: Libp2pId, target: Option<Target>, reply: ConnectReply) {
        if self.swarm.is_connected(&peer) {
            let _ = reply.send(Ok(()));
            return;
        }
        let (address, at) = target.map_or((None, Vec::new()), |target| (Some(target.named), target.at));
        if let Some(dial) = self.dialing.under_way(peer, address.as_ref()) {
            self.dialing.wait(peer, address, dial, reply);
            return;
        }
        let known = || self.dialing.reached(&peer);
        let through_relay = || self.relay.as_ref().map(|relay| relay.circuit_to(peer));
        let at = if at.is_empty() { known().or_else(through_relay).into_iter().collect() } else { at };
        if at.is_empty() {
            let _ = reply.send(Err(NO_ADDRESS.to_owned()));
            return;
        }
        let guard = &mut self.swarm.behaviour_mut().guard;
        at.iter().for_each(|address| guard.name(address));
        let opts = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(at).build();
        let dial = opts.connection_id();
        guard.permit(dial);
        match self.swarm.dial(opts) {
            Ok(()) => self.dialing.wait(peer, address, dial, reply),
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
                self.listening_changed = true;
                if let Some(relay) = &mut self.relay
                    && relay.granted(listener_id)
                {
                    let address = with_peer(&address, *self.swarm.local_peer_id());
                    if self.silent.is_empty() {
                        // Before it is told, so that whoever hears of it finds it there.
                        self.refresh_addresses();
                    }
                    let _ = self.events.send(NodeEvent::Reachable { address });
                }
            }
            SwarmEvent::ExpiredListenAddr { .. } => self.listening_changed = true,
            SwarmEvent::ListenerClosed { listener_id, reason, addresses } => {
                self.silent.remove(&listener_id);
                self.listening_changed = true;
                let relay = self.relay.as_mut();
                if !relay.is_some_and(|relay| relay.closed(listener_id, &reason, Instant::now())) {
                    tracing::warn!(?addresses, ?reason, "a listener closed");
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => {
                let dialed = endpoint.is_dialer().then(|| endpoint.get_remote_address());
                self.dialing.connected(peer_id, dialed);
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                for (_, reply) in self.leaving.extract_if(.., |(peer, _)| *peer == peer_id) {
                    let _ = reply.send(());
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                if let Some(relay) = &mut self.relay {
                    relay.dial_failed(peer_id, &error);
                }
                self.dialing.failed(connection_id, &error);
            }
            SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
                tracing::debug!(%error, from = %send_back_addr, "an inbound connection failed");
            }
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(event) => {
                if let Some(herald) = &mut self.herald
                    && let Some(changed) = herald.on_event(&mut self.swarm, event)
                {
                    let _ = self.events.send(NodeEvent::Presence(changed));
                }
            }
            BehaviourEvent::Mdns(Found::Mdns(mdns::Event::Discovered(found))) => {
                for (peer, address) in found {
                    self.lan.discovered(peer, address, Instant::now());
                }
            }
            BehaviourEvent::Mdns(Found::Forgotten) => self.lan.forget_all(),
            BehaviourEvent::Mdns(Found::Mdns(mdns::Event::Expired(gone))) => {
                for (peer, address) in gone {
                    self.lan.expired(&peer, &address);
                }
            }
            BehaviourEvent::Dcutr(event) => {
                tracing::debug!(?event, "a hole punch ended");
                if let (Ok(_), Ok(peer)) = (&event.result, to_peer_id(&event.remote_peer_id)) {
                    let _ = self.events.send(NodeEvent::Direct { peer });
                }
            }
            _ => {}
        }
    }
}

/// The address with the peer at its end, once.
fn with_peer(address: &Multiaddr, peer: Libp2pId) -> Multiaddr {
    match address.iter().last() {
        Some(Protocol::P2p(last)) if last == peer => address.clone(),
        _ => address.clone().with(Protocol::P2p(peer)),
    }
}
