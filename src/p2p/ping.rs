//! Answers pings, and finds out by pings of its own which connections are dead.
//!
//! Both halves of `/ipfs/ping/1.0.0`, each without regard to the other: peers that have no ping
//! service ping all the same, and give up a connection whose pings are not answered.
//!
//! Rejected: libp2p's own behaviour, which answers nothing on a connection once the other side
//! has refused its ping, and which tells of a dead connection without closing it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures::{FutureExt, ready};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId as Libp2pId, StreamProtocol};
use tokio::time::{Sleep, sleep, timeout};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/ipfs/ping/1.0.0");

/// What is sent and has to come back.
const PING_BYTES: usize = 32;

/// Streams of one connection on which the other side may ping: a program of its own may ping beside what
/// watches its connections, and each has one stream in use and one that is about to end. A further one takes
/// the place of the oldest.
const MAX_ANSWERING: usize = 4;

/// How long after an answer the next ping is sent.
const INTERVAL: Duration = Duration::from_secs(15);

/// How long an answer may take, on a line full of other things.
const PATIENCE: Duration = Duration::from_secs(20);

/// Pings in a row without an answer, after which nobody is there.
const MAX_SILENCES: u32 = 2;

/// Pings on every connection, and closes those that are dead.
#[derive(Debug, Default)]
pub(super) struct Pings {
    dead: VecDeque<(Libp2pId, ConnectionId)>,
}

impl NetworkBehaviour for Pings {
    type ConnectionHandler = PingHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: Libp2pId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(PingHandler::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: Libp2pId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(PingHandler::new())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, peer: Libp2pId, connection: ConnectionId, dead: Dead) {
        let Dead = dead;
        tracing::debug!(%peer, "a connection is closed: pings are not answered");
        self.dead.push_back((peer, connection));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // No waker: libp2p polls after each event of a handler.
        match self.dead.pop_front() {
            Some((peer_id, connection)) => {
                let connection = CloseConnection::One(connection);
                Poll::Ready(ToSwarm::CloseConnection { peer_id, connection })
            }
            None => Poll::Pending,
        }
    }
}

/// Nobody answers on this connection.
#[derive(Debug)]
pub(super) struct Dead;

/// The pings of one connection.
pub(super) struct PingHandler {
    /// Streams on which the other side pings, oldest first.
    answering: VecDeque<BoxFuture<'static, ()>>,
    asking: Asking,
    silences: u32,
}

/// How things stand with our own pings.
enum Asking {
    /// The next stream is asked for when this is over.
    Resting(Pin<Box<Sleep>>),
    /// A stream was asked for.
    Opening,
    /// Pings are sent, until one fails.
    Pinging(BoxFuture<'static, Ended>),
    /// No more: the other side does not answer pings, or was found dead.
    Over,
}

/// How a stream for pings ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    answered: bool,
    /// A ping was not answered in time; otherwise the stream failed, which says that somebody is
    /// there.
    silent: bool,
}

impl PingHandler {
    fn new() -> Self {
        let asking = Asking::Resting(Box::pin(sleep(Duration::ZERO)));
        Self { answering: VecDeque::new(), asking, silences: 0 }
    }

    /// A stream ended; tells whether the connection is dead.
    fn ended(&mut self, Ended { answered, silent }: Ended) -> bool {
        self.silences = if answered || !silent { 0 } else { self.silences } + u32::from(silent);
        let dead = self.silences >= MAX_SILENCES;
        let pause = || Asking::Resting(Box::pin(sleep(INTERVAL)));
        self.asking = if dead { Asking::Over } else { pause() };
        dead
    }
}

impl ConnectionHandler for PingHandler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Dead;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    fn on_behaviour_event(&mut self, never: Infallible) {
        match never {}
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Dead>> {
        self.answering.retain_mut(|answering| answering.poll_unpin(cx).is_pending());
        loop {
            match &mut self.asking {
                Asking::Resting(rest) => {
                    ready!(rest.as_mut().poll(cx));
                    self.asking = Asking::Opening;
                    let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ());
                    return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
                }
                Asking::Pinging(pings) => {
                    let ended = ready!(pings.poll_unpin(cx));
                    if self.ended(ended) {
                        return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(Dead));
                    }
                }
                Asking::Opening | Asking::Over => return Poll::Pending,
            }
        }
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: mut stream, ..
            }) => {
                // Pings alone do not keep a connection that nobody uses.
                stream.ignore_for_keep_alive();
                self.answering.push_back(answer(stream).boxed());
                if self.answering.len() > MAX_ANSWERING {
                    self.answering.pop_front();
                }
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: mut stream,
                ..
            }) => {
                stream.ignore_for_keep_alive();
                self.asking = Asking::Pinging(ping(stream).boxed());
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                let silent = match error {
                    StreamUpgradeError::NegotiationFailed => {
                        self.asking = Asking::Over;
                        return;
                    }
                    StreamUpgradeError::Timeout => true,
                    StreamUpgradeError::Io(_) => false,
                    StreamUpgradeError::Apply(never) => match never {},
                };
                // Through `poll`, which alone can tell the behaviour.
                let ended = Ended { answered: false, silent };
                self.asking = Asking::Pinging(std::future::ready(ended).boxed());
            }
            _ => {}
        }
    }
}

/// Sends back what comes, until the other side ends the stream. Takes pings of any length: some
/// peers send one byte.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let mut bytes = [0; PING_BYTES];
    while let Ok(read) = stream.read(&mut bytes).await
        && let Some(ping) = bytes.get(..read).filter(|ping| !ping.is_empty())
    {
        if stream.write_all(ping).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    let _ = stream.close().await;
}

/// Pings again and again, until a ping fails.
async fn ping<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> Ended {
    let mut answered = false;
    loop {
        match timeout(PATIENCE, ping_once(&mut stream)).await {
            Ok(Ok(())) => answered = true,
            Ok(Err(_)) => return Ended { answered, silent: false },
            Err(_) => return Ended { answered, silent: true },
        }
        sleep(INTERVAL).await;
    }
}

async fn ping_once<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> std::io::Result<()> {
    let sent = fresh();
    stream.write_all(&sent).await?;
    stream.flush().await?;
    let mut came = [0; PING_BYTES];
    stream.read_exact(&mut came).await?;
    if came == sent { Ok(()) } else { Err(std::io::ErrorKind::InvalidData.into()) }
}

/// Bytes that an answer can't contain by chance. Nothing depends on nobody guessing them.
fn fresh() -> [u8; PING_BYTES] {
    let mut bytes = [0; PING_BYTES];
    for (place, part) in bytes.chunks_mut(8).enumerate() {
        part.copy_from_slice(&RandomState::new().hash_one(place).to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(handler: &PingHandler) -> &'static str {
        match handler.asking {
            Asking::Resting(_) => "resting",
            Asking::Opening => "opening",
            Asking::Pinging(_) => "pinging",
            Asking::Over => "over",
        }
    }

    #[tokio::test]
    async fn two_silences_in_a_row_are_a_dead_connection() {
        let ended = |answered, silent| Ended { answered, silent };
        let mut handler = PingHandler::new();
        assert!(!handler.ended(ended(true, true)), "the first after answers");
        assert!(!handler.ended(ended(false, false)), "who ends streams is there");
        assert!(!handler.ended(ended(false, true)));
        assert_eq!(state(&handler), "resting");
        assert!(!handler.ended(ended(true, true)), "it answered between the two");
        assert!(handler.ended(ended(false, true)));
        assert_eq!(state(&handler), "over");
    }

    /// Takes everything, and answers what is in it.
    struct Deaf(VecDeque<u8>);

    impl AsyncRead for Deaf {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            room: &mut [u8],
        ) -> Poll<std::io::Result<usize>> {
            let read = room.len().min(self.0.len());
            for (place, byte) in room.iter_mut().zip(self.0.drain(..read)) {
                *place = byte;
            }
            if read == 0 { Poll::Pending } else { Poll::Ready(Ok(read)) }
        }
    }

    impl AsyncWrite for Deaf {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_ping_without_an_answer_ends_in_time() {
        let start = tokio::time::Instant::now();
        assert_eq!(ping(Deaf(VecDeque::new())).await, Ended { answered: false, silent: true });
        assert_eq!(start.elapsed(), PATIENCE);
        let wrong = ping(Deaf([7; PING_BYTES].into())).await;
        assert_eq!(wrong, Ended { answered: false, silent: false });
    }
}
