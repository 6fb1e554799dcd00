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
    CloseConnection, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId as Libp2pId, Stream, StreamProtocol};
use tokio::sync::{mpsc, oneshot};

use super::admission::{Activity, Admission, Busy};
use super::crowd::Crowd;
use super::identity::to_peer_id;
use super::intake::{Inbound, Intake, Service};
use super::limits::ConnectionLimits;
use super::notices::Notices;
use super::origin::Origin;

/// Says which protocols this peer serves at the moment.
pub(super) type Offered = Arc<dyn Fn() -> Vec<StreamProtocol> + Send + Sync>;

/// A stream that this peer opened.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) stream: Stream,
    /// Keeps the connection from being taken for an unused one.
    pub(super) _busy: Busy,
}

/// Why a stream was not opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The peer does not speak the protocol.
    Unsupported,
    /// The connection failed, in its own words.
    Connection(String),
}

/// Where a stream that was asked for goes.
pub(super) type Reply = oneshot::Sender<Result<Outbound, OpenError>>;

/// A wish for a stream. When it is lost with its connection, the asker sees `reply` dropped.
pub(super) struct Open {
    pub(super) protocol: StreamProtocol,
    pub(super) reply: Reply,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Open({})", self.protocol)
    }
}

/// Opens and takes streams on every connection of the swarm.
pub(super) struct Streams {
    offered: Offered,
    admission: Admission,
    service: Service,
    connections: HashMap<Libp2pId, Vec<ConnectionId>>,
    wishes: VecDeque<(Libp2pId, ConnectionId, Open)>,
    waker: Option<Waker>,
}

impl Streams {
    pub(super) fn new(
        offered: Offered,
        inbound: mpsc::UnboundedSender<Inbound>,
        limits: ConnectionLimits,
        notices: Notices,
    ) -> Self {
        Self {
            offered,
            admission: Admission::new(limits, notices.clone()),
            service: Service { in_service: Crowd::new(limits.streams()), inbound, notices },
            connections: HashMap::new(),
            wishes: VecDeque::new(),
            waker: None,
        }
    }

    /// Asks for a stream on the latest connection with `peer`, whoever made it: that is how a
    /// reply reaches a peer that listens nowhere.
    pub(super) fn open(&mut self, peer: Libp2pId, open: Open) {
        let Some(connection) = self.connections.get(&peer).and_then(|all| all.last()) else {
            let _ = open.reply.send(Err(OpenError::Connection("there is no connection".to_owned())));
            return;
        };
        self.wishes.push_back((peer, *connection, open));
        self.wake();
    }

    fn handler(
        &self,
        peer: &Libp2pId,
        origin: Origin,
        activity: Arc<Activity>,
    ) -> Result<Handler, ConnectionDenied> {
        let peer = to_peer_id(peer).map_err(ConnectionDenied::new)?;
        let intake = Intake::new(peer, origin, activity.clone(), self.service.clone());
        Ok(Handler { intake, activity, offered: self.offered.clone(), wishes: VecDeque::new() })
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Libp2pId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let origin = Origin::of_inbound(local, remote);
        let admitted = self.admission.inbound(connection, peer, origin);
        self.wake();
        self.handler(&peer, origin, admitted.map_err(ConnectionDenied::new)?)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Libp2pId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let origin = Origin::of(address);
        let admitted = self.admission.outbound(connection, peer, origin);
        self.wake();
        self.handler(&peer, origin, admitted.map_err(ConnectionDenied::new)?)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(established) => {
                self.connections.entry(established.peer_id).or_default().push(established.connection_id);
            }
            // Denied after all by another part of the swarm.
            FromSwarm::ListenFailure(failed) => self.admission.closed(failed.connection_id),
            FromSwarm::DialFailure(failed) => self.admission.closed(failed.connection_id),
            FromSwarm::ConnectionClosed(closed) => {
                self.admission.closed(closed.connection_id);
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
        if let Some((peer_id, connection)) = self.admission.next_evicted() {
            let connection = CloseConnection::One(connection);
            return Poll::Ready(ToSwarm::CloseConnection { peer_id, connection });
        }
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
    intake: Intake,
    activity: Arc<Activity>,
    offered: Offered,
    wishes: VecDeque<Open>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Infallible;
    type InboundProtocol = Speaks;
    type OutboundProtocol = Speaks;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Reply;

    fn listen_protocol(&self) -> SubstreamProtocol<Speaks> {
        SubstreamProtocol::new(Speaks((self.offered)()), ())
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Speaks, Self::OutboundOpenInfo, Infallible>> {
        self.intake.poll(cx);
        // No waker for these: wishes come through `on_behaviour_event`, after which libp2p polls.
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
            }) => self.intake.take(stream, protocol),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (stream, _),
                info: reply,
            }) => {
                let _busy = self.activity.begin();
                let _ = reply.send(Ok(Outbound { stream, _busy }));
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
