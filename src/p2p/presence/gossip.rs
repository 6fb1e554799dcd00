//! GossipSub, with a bound on what a neighbour may send.
//!
//! GossipSub remembers every message for a while, so that it passes each on once, and asks nobody
//! whether there are too many. So each neighbour has a number of messages and of frames a second;
//! what is above is dropped before GossipSub sees it, and a neighbour that goes on is disconnected.
//! Only the one topic may be subscribed, so a stranger's subscriptions take no memory.

use std::collections::{HashMap, HashSet};
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::gossipsub::{
    self, ConfigBuilder, IdentTopic, IdentityTransform, MessageAcceptance, MessageAuthenticity, MessageId,
    PeerScoreParams, PeerScoreThresholds, RawMessage, TopicScoreParams, ValidationError, ValidationMode,
    WhitelistSubscriptionFilter,
};
use libp2p::identity::Keypair;
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId as Libp2pId};
use tokio::time::Instant;

use super::announcement::MAX_ANNOUNCEMENT_BYTES;
use crate::p2p::notices::Notices;

/// Messages of one neighbour a second: it passes on what some two hundred peers say.
const MESSAGES_PER_SECOND: f64 = 50.0;
/// Messages of one neighbour at once.
const MESSAGES_AT_ONCE: f64 = 200.0;
/// A longer message counts as several of this size.
const MESSAGE_BYTES: usize = 1024;
/// How many messages of one neighbour are dropped before it is disconnected.
const MAX_DROPPED: u64 = 2000;
/// How long a message is remembered: longer than it takes to cross the mesh.
const REMEMBERED: Duration = Duration::from_secs(20);
/// Messages that wait for a neighbour that does not take them.
const MAX_WAITING: usize = 64;

type Inner = gossipsub::Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;
type HandlerEvent = THandlerOutEvent<Inner>;

/// GossipSub on one topic.
pub(in crate::p2p) struct Gossip {
    inner: Inner,
    topic: IdentTopic,
    neighbours: HashMap<Libp2pId, Neighbour>,
    to_close: Vec<Libp2pId>,
    notices: Notices,
}

/// What a neighbour may still send.
#[derive(Debug)]
struct Neighbour {
    left: f64,
    filled: Instant,
    dropped: u64,
}

impl Neighbour {
    /// Whether something of this size may pass.
    fn pass(&mut self, bytes: usize, now: Instant) -> bool {
        let since = now.duration_since(self.filled).as_secs_f64();
        self.left = (self.left + since * MESSAGES_PER_SECOND).min(MESSAGES_AT_ONCE);
        self.filled = now;
        let cost = bytes.div_ceil(MESSAGE_BYTES).max(1) as f64;
        let passes = cost <= self.left;
        if passes {
            self.left -= cost;
        } else {
            self.dropped += 1;
        }
        passes
    }
}

impl Gossip {
    /// Joins `topic`. Messages are signed with `keypair`, and only signed ones are taken.
    pub(in crate::p2p) fn new(keypair: &Keypair, topic: &str, notices: Notices) -> Result<Self, String> {
        let topic = IdentTopic::new(topic);
        let config = ConfigBuilder::default()
            .validation_mode(ValidationMode::Strict)
            // Passed on once this peer has looked at it.
            .validate_messages()
            .max_transmit_size_for_topic(MAX_ANNOUNCEMENT_BYTES, topic.hash())
            .duplicate_cache_time(REMEMBERED)
            .heartbeat_initial_delay(Duration::from_millis(500))
            .connection_handler_queue_len(MAX_WAITING)
            .build()
            .map_err(|error| error.to_string())?;
        let filter = WhitelistSubscriptionFilter(HashSet::from([topic.hash()]));
        let authenticity = MessageAuthenticity::Signed(keypair.clone());
        let mut inner = Inner::new_with_subscription_filter(authenticity, config, filter)?;
        inner.with_peer_score(scores(&topic), PeerScoreThresholds::default())?;
        inner.subscribe(&topic).map_err(|error| error.to_string())?;
        Ok(Self { inner, topic, neighbours: HashMap::new(), to_close: Vec::new(), notices })
    }

    /// Sends `data` to every neighbour. Gives those it was sent to; none is no error.
    pub(in crate::p2p) fn publish(&mut self, data: Vec<u8>) -> Vec<Libp2pId> {
        match self.inner.publish(self.topic.hash(), data) {
            Ok(_) => self.subscribers(),
            Err(gossipsub::PublishError::NoPeersSubscribedToTopic) => Vec::new(),
            Err(error) => {
                tracing::debug!(%error, "an announcement was not sent");
                Vec::new()
            }
        }
    }

    fn subscribers(&self) -> Vec<Libp2pId> {
        let topic = self.topic.hash();
        let subscribed = self.inner.all_peers().filter(|(_, topics)| topics.contains(&&topic));
        subscribed.map(|(peer, _)| *peer).collect()
    }

    /// Passes a message on, or not. What is not passed on is no neighbour's fault: peers that look
    /// at nothing but signatures pass on everything.
    pub(in crate::p2p) fn judged(&mut self, message: &MessageId, neighbour: &Libp2pId, good: bool) {
        let acceptance = if good { MessageAcceptance::Accept } else { MessageAcceptance::Ignore };
        self.inner.report_message_validation_result(message, neighbour, acceptance);
    }

    /// The neighbour's account, full at first.
    fn neighbour(&mut self, peer: Libp2pId) -> &mut Neighbour {
        let full = || Neighbour { left: MESSAGES_AT_ONCE, filled: Instant::now(), dropped: 0 };
        self.neighbours.entry(peer).or_insert_with(full)
    }

    /// Removes what is over the neighbour's share; tells whether anything is left to look at.
    fn reduce(&mut self, peer: Libp2pId, event: &mut HandlerEvent) -> bool {
        let HandlerEvent::Message { rpc, invalid_messages } = event else { return true };
        let (now, topic) = (Instant::now(), self.topic.hash());
        let is_long = |(_, error): &(RawMessage, ValidationError)| {
            matches!(error, ValidationError::MessageSizeTooLargeForTopic)
        };
        if invalid_messages.iter().any(is_long) {
            let detail = format_args!("{peer} brought one of more than {MAX_ANNOUNCEMENT_BYTES} bytes");
            self.notices.tell("an announcement was too long", detail);
        }
        if let Some((_, error)) = invalid_messages.iter().find(|invalid| !is_long(invalid)) {
            let detail = format_args!("{peer} brought one that is wrong in itself ({error:?})");
            self.notices.tell("an announcement was not passed on", detail);
        }
        let neighbour = self.neighbour(peer);
        let before = neighbour.dropped;
        // A frame counts too, so that many empty ones are no way around.
        let passes = neighbour.pass(0, now);
        let mut fits = |message: &RawMessage| passes && neighbour.pass(message.data.len(), now);
        rpc.messages.retain(|message| message.topic == topic && fits(message));
        // What GossipSub sees of these costs the neighbour its good name. Every peer looks at signatures,
        // but others have higher limits and take any sequence number: whoever signs a message that only
        // this peer refuses would have all its honest neighbours taken for liars.
        let forged = |error: &ValidationError| matches!(error, ValidationError::InvalidSignature);
        invalid_messages.retain(|(message, error)| fits(message) && forged(error));
        let dropped = neighbour.dropped;
        if dropped > before {
            self.notices.tell("too much gossip", format_args!("messages that {peer} brought were dropped"));
        }
        if dropped > MAX_DROPPED && !self.to_close.contains(&peer) {
            self.to_close.push(peer);
        }
        passes
    }
}

/// What makes a neighbour one to keep: that it brings news, and no false signatures. Numbers of
/// neighbours at one address are the business of the limits on connections.
fn scores(topic: &IdentTopic) -> PeerScoreParams {
    let presence = TopicScoreParams {
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        first_message_deliveries_weight: 0.1,
        first_message_deliveries_cap: 50.0,
        // A quiet mesh is no fault of its members.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -20.0,
        invalid_message_deliveries_decay: 0.9,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: HashMap::from([(topic.hash(), presence)]),
        topic_score_cap: 50.0,
        ip_colocation_factor_weight: 0.0,
        // Of every identity that was ever here and misbehaved.
        retain_score: Duration::from_secs(60),
        ..PeerScoreParams::default()
    }
}

impl NetworkBehaviour for Gossip {
    type ConnectionHandler = <Inner as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = gossipsub::Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Libp2pId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Libp2pId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(closed) = &event
            && closed.remaining_established == 0
        {
            self.neighbours.remove(&closed.peer_id);
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: Libp2pId,
        connection: ConnectionId,
        mut event: THandlerOutEvent<Self>,
    ) {
        if !self.reduce(peer, &mut event) {
            return;
        }
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some(peer_id) = self.to_close.pop() {
            self.neighbours.remove(&peer_id);
            return Poll::Ready(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::All });
        }
        self.inner.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_has_a_number_of_messages_a_second() {
        let start = Instant::now();
        let mut neighbour = Neighbour { left: MESSAGES_AT_ONCE, filled: start, dropped: 0 };
        let mut passed = |number: usize, bytes: usize, at: Instant| {
            (0..number).filter(|_| neighbour.pass(bytes, at)).count()
        };
        assert_eq!(passed(10_000, 100, start), 200);
        assert_eq!(passed(100, 100, start + Duration::from_secs(1)), 50);
        assert_eq!(passed(1000, 100, start + Duration::from_secs(3600)), 200, "nothing is saved up");
        assert_eq!(passed(1000, 4096, start + Duration::from_secs(7200)), 50, "bytes count");
        assert_eq!(neighbour.dropped, 9800 + 50 + 800 + 950);
    }
}
