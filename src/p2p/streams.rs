//! The part of the swarm that opens streams to peers and takes streams from them.
//!
//! libp2p does the work: connections, encryption, multiplexing and the negotiation of a stream's
//! protocol. What is left is to hand a negotiated stream to whoever serves or asked for it.
//!
//! Rejected: `libp2p-stream`, which does this too, but hands inbound streams over through a
//! channel of one place and drops what arrives while it is full, so a page that loads six files
//! at once loses some; and which keeps an entry per connection ever made, so strangers who come
//! and go fill the memory.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent,
    ToSwarm,
};
use libp2p::{Multiaddr, PeerId as Libp2pId, Stream, StreamProtocol};
use tokio::sync::{mpsc, oneshot};

use super::gate::{Gate, Permit};
use super::identity::to_peer_id;
use crate::peer_id::PeerId;

/// Says which protocols this peer serves at the moment.
pub(super) type Offered = Arc<dyn Fn() -> Vec<StreamProtocol> + Send + Sync>;

/// A stream that a peer opened, with its place in the [`Gate`].
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) peer: PeerId,
    pub(super) protocol: StreamProtocol,
    pub(super) stream: Stream,
    pub(super) permit: Permit,
}

/// Why a stream was not opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The peer does not speak the protocol.
    Unsupported,
    /// The connection failed, in its own words.
    Connection(String),
}

/// A wish for a stream. When it is lost with its connection, the asker sees `reply` dropped.
pub(super) struct Open {
    pub(super) protocol: StreamProtocol,
    pub(super) reply: oneshot::Sender<Result<Stream, OpenError>>,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Open({})", self.protocol)
    }
}

/// Opens and takes streams on every connection of the swarm.
pub(super) struct Streams {
    offered: Offered,
    gate: Gate,
    /// Not bounded as a channel: every entry holds a place in the gate.
    inbound: mpsc::UnboundedSender<Inbound>,
    connections: HashMap<Libp2pId, Vec<ConnectionId>>,
    wishes: VecDeque<(Libp2pId, ConnectionId, Open)>,
    waker: Option<Waker>,
}

impl Streams {
    pub(super) fn new(offered: Offered, inbound: mpsc::UnboundedSender<Inbound>) -> Self {
        let (connections, wishes) = (HashMap::new(), VecDeque::new());
        Self { offered, gate: Gate::default(), inbound, connections, wishes, waker: None }
    }

    /// Asks for a stream on the latest connection with `peer`, whoever made it: that is how a
    /// reply reaches a peer that listens nowhere.
    pub(super) fn open(&mut self, peer: Libp2pId, open: Open) {
        let Some(connection) = self.connections.get(&peer).and_then(|all| all.last()) else {
            let _ = open.reply.send(Err(OpenError::Connection("there is no connection".to_owned())));
            return;
        };
        self.wishes.push_back((peer, *connection, open));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn handler(&self, peer: &Libp2pId) -> Result<Handler, ConnectionDenied> {
        Ok(Handler {
            peer: to_peer_id(peer).map_err(ConnectionDenied::new)?,
            offered: self.offered.clone(),
            gate: self.gate.clone(),
            inbound: self.inbound.clone(),
            wishes: VecDeque::new(),
        })
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Libp2pId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handler(&peer)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Libp2pId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handler(&peer)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(established) => {
                self.connections.entry(established.peer_id).or_default().push(established.connection_id);
            }
            FromSwarm::ConnectionClosed(closed) => {
                if let Some(all) = self.connections.get_mut(&closed.peer_id) {
                    all.retain(|connection| *connection != closed.connection_id);
                    if all.is_empty() {
                        self.connections.remove(&closed.peer_id);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: Libp2pId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some((peer_id, connection, event)) = self.wishes.pop_front() {
            return Poll::Ready(ToSwarm::NotifyHandler {
                peer_id,
                handler: NotifyHandler::One(connection),
                event,
            });
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// The streams of one connection.
pub(super) struct Handler {
    peer: PeerId,
    offered: Offered,
    gate: Gate,
    inbound: mpsc::UnboundedSender<Inbound>,
    wishes: VecDeque<Open>,
}

impl Handler {
    fn take(&self, stream: Stream, protocol: StreamProtocol) {
        let Some(permit) = self.gate.enter(&self.peer) else {
            // Dropping the stream resets it.
            tracing::debug!(peer = %self.peer, %protocol, "stream refused: too many are in service");
            return;
        };
        let peer = self.peer.clone();
        // The receiver is gone only while the node stops.
        let _ = self.inbound.send(Inbound { peer, protocol, stream, permit });
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Infallible;
    type InboundProtocol = Speaks;
    type OutboundProtocol = Speaks;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = oneshot::Sender<Result<Stream, OpenError>>;

    fn listen_protocol(&self) -> SubstreamProtocol<Speaks> {
        SubstreamProtocol::new(Speaks((self.offered)()), ())
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Speaks, Self::OutboundOpenInfo, Infallible>> {
        // No waker: wishes come through `on_behaviour_event`, after which libp2p polls.
        match self.wishes.pop_front() {
            Some(Open { protocol, reply }) => Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(Speaks(vec![protocol]), reply),
            }),
            None => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, open: Open) {
        self.wishes.push_back(open);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Speaks, Speaks, (), Self::OutboundOpenInfo>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (stream, protocol),
                ..
            }) => self.take(stream, protocol),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (stream, _),
                info: reply,
            }) => {
                let _ = reply.send(Ok(stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: reply, error }) => {
                let error = match error {
                    StreamUpgradeError::NegotiationFailed => OpenError::Unsupported,
                    StreamUpgradeError::Timeout => {
                        OpenError::Connection("the peer did not answer in time".to_owned())
                    }
                    StreamUpgradeError::Io(source) => OpenError::Connection(source.to_string()),
                    StreamUpgradeError::Apply(never) => match never {},
                };
                let _ = reply.send(Err(error));
            }
            _ => {}
        }
    }
}

/// Negotiates one of these protocols and leaves the stream as it is.
pub(super) struct Speaks(Vec<StreamProtocol>);

impl UpgradeInfo for Speaks {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Speaks {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}

impl OutboundUpgrade<Stream> for Speaks {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}
