//! What the rest of the peer asks of the network.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::io::AsyncWrite;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId as Libp2pId, StreamProtocol};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::admission::Busy;
use super::error::{NodeError, ProtocolError};
use super::identity::{to_libp2p, to_peer_id};
use super::names::resolve;
use super::network::{Command, DIAL_TIMEOUT, Target};
use super::presence::{PresentPeer, SharedPresence};
use super::protocols::{
    CHAT, CONTENT, DATA, SITE, fetch_content, fetch_site, fetch_site_into, request_data, write_chat,
};
use super::streams::{Open, OpenError, Outbound};
use crate::chat::{PeersFuture, Transport};
use crate::data::EmailDirectory;
use crate::peer_id::PeerId;
use crate::script::{SendError, SendFuture};

/// The most streams this peer has open to one other peer; further requests wait their turn. Half
/// of what this implementation serves to one peer, so that waiting, not refusal, is the rule.
pub const MAX_OUTBOUND_STREAMS_PER_PEER: usize = 12;

/// How many requests to one peer may wait for a turn, and how long. A peer that never answers
/// would otherwise gather every task that wants something of it.
const MAX_WAITING_PER_PEER: usize = 256;
const TURN_TIMEOUT: Duration = Duration::from_secs(30);

/// Above this many peers, those with no stream open are forgotten.
const MAX_IDLE_QUEUES: usize = 256;

/// Asks a node for things. Cloning is cheap; when the node is gone, every method fails with
/// [`NodeError::Stopped`].
#[derive(Clone)]
pub struct NodeHandle {
    own: PeerId,
    commands: mpsc::Sender<Command>,
    queues: Arc<Mutex<HashMap<Libp2pId, Arc<Queue>>>>,
    presence: SharedPresence,
}

/// The requests to one peer.
struct Queue {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl NodeHandle {
    pub(super) fn new(own: PeerId, commands: mpsc::Sender<Command>, presence: SharedPresence) -> Self {
        Self { own, commands, queues: Arc::default(), presence }
    }

    /// This peer's id.
    pub fn id(&self) -> &PeerId {
        &self.own
    }

    /// Connects to the peer at `address`, which ends in `/p2p/ID`, unless there is a connection. A
    /// host name in it is looked up.
    ///
    /// # Errors
    /// Within ten seconds, with the reason, when the peer can't be reached there or is another.
    pub async fn dial(&self, address: Multiaddr) -> Result<PeerId, NodeError> {
        let Some(Protocol::P2p(id)) = address.iter().last() else {
            return Err(NodeError::NoPeerId { address });
        };
        let Ok(peer) = to_peer_id(&id) else { return Err(NodeError::NoPeerId { address }) };
        let start = Instant::now();
        let targets = resolve(address.clone()).await;
        let targets = targets.map_err(|reason| NodeError::Unreachable { peer: peer.clone(), reason })?;
        let left = DIAL_TIMEOUT.saturating_sub(start.elapsed());
        self.connect(&peer, id, Some(Target { named: address, at: targets }), left).await?;
        Ok(peer)
    }

    /// Sends one encoded chat message ([`Message::encode`](crate::chat::Message::encode)).
    ///
    /// # Errors
    /// When the peer can't be reached or does not take it.
    pub async fn send_chat(&self, peer: &PeerId, message: &[u8]) -> Result<(), NodeError> {
        let mut opened = self.open(peer, CHAT).await?;
        let sent = write_chat(&mut opened.stream, message).await;
        sent.map_err(exchange(peer, CHAT))
    }

    /// Sends one data request and gives the answer, which may be an error in the peer's words.
    ///
    /// # Errors
    /// When the peer can't be reached, or the exchange breaks a limit of size or time.
    pub async fn request_data(&self, peer: &PeerId, request: &Value) -> Result<Value, NodeError> {
        let mut opened = self.open(peer, DATA).await?;
        let answer = request_data(&mut opened.stream, request).await;
        answer.map_err(exchange(peer, DATA))
    }

    /// Fetches a file of the peer's site: its media type, which is the peer's claim, and bytes.
    ///
    /// # Errors
    /// When the peer can't be reached, refuses, or the exchange breaks a limit of size or time.
    pub async fn fetch_site(&self, peer: &PeerId, path: &str) -> Result<(String, Vec<u8>), NodeError> {
        let mut opened = self.open(peer, SITE).await?;
        let fetched = fetch_site(&mut opened.stream, path).await;
        fetched.map_err(exchange(peer, SITE))
    }

    /// As [`NodeHandle::fetch_site`], into `sink` piece by piece; gives the media type and how many bytes
    /// there were.
    ///
    /// # Errors
    /// As [`NodeHandle::fetch_site`], and when `sink` fails. It has a part of the file then.
    pub async fn fetch_site_into<W: AsyncWrite + Unpin>(
        &self,
        peer: &PeerId,
        path: &str,
        sink: &mut W,
    ) -> Result<(String, u64), NodeError> {
        let mut opened = self.open(peer, SITE).await?;
        let fetched = fetch_site_into(&mut opened.stream, path, sink).await;
        fetched.map_err(exchange(peer, SITE))
    }

    /// Asks the peer for its label.
    ///
    /// # Errors
    /// When the peer can't be reached, or the exchange breaks a limit of size or time.
    pub async fn fetch_content(&self, peer: &PeerId) -> Result<String, NodeError> {
        let mut opened = self.open(peer, CONTENT).await?;
        let label = fetch_content(&mut opened.stream).await;
        label.map_err(exchange(peer, CONTENT))
    }

    /// The peers that are online, by id, as they announced themselves.
    pub fn online(&self) -> Vec<PresentPeer> {
        self.presence.lock().online()
    }

    /// Waits until there is no connection with `peer`, or the node is gone.
    pub async fn disconnected(&self, peer: &PeerId) {
        let Some(peer) = to_libp2p(peer) else { return };
        let (reply, gone) = oneshot::channel();
        if self.command(Command::WhenGone { peer, reply }).await.is_ok() {
            // An error: the node is gone.
            let _ = gone.await;
        }
    }

    /// Announces this peer to `peer`, which is connected, and waits until it is likely to have
    /// heard it. Tells whether it was sent; `false` when the peer does not listen within `patience`.
    pub async fn announce_to(&self, peer: &PeerId, patience: Duration) -> bool {
        let Some(id) = to_libp2p(peer) else { return false };
        let (reply, told) = oneshot::channel();
        let told =
            async { self.command(Command::WhenTold { peer: id, reply }).await.is_ok() && told.await.is_ok() };
        if !timeout(patience, told).await.unwrap_or(false) {
            return false;
        }
        // GossipSub says nothing about arrival. An exchange that begins later on the same
        // connection ends later too.
        let _ = timeout(patience, self.fetch_content(peer)).await;
        true
    }

    /// Says that this peer goes; tells whether anyone was there to hear it.
    pub(super) async fn farewell(&self) -> bool {
        let (reply, heard) = oneshot::channel();
        self.command(Command::Farewell { reply }).await.is_ok() && heard.await.unwrap_or(false)
    }

    async fn connect(
        &self,
        peer: &PeerId,
        id: Libp2pId,
        target: Option<Target>,
        patience: Duration,
    ) -> Result<(), NodeError> {
        let unreachable = |reason: String| NodeError::Unreachable { peer: peer.clone(), reason };
        if *peer == self.own {
            return Err(unreachable("that is this peer itself".to_owned()));
        }
        let (reply, answer) = oneshot::channel();
        self.command(Command::Connect { peer: id, target, reply }).await?;
        match timeout(patience, answer).await {
            Ok(Ok(connected)) => connected.map_err(unreachable),
            Ok(Err(_)) => Err(NodeError::Stopped),
            Err(_) => Err(unreachable(format!("no answer within {} s", DIAL_TIMEOUT.as_secs()))),
        }
    }

    async fn open(&self, peer: &PeerId, protocol: StreamProtocol) -> Result<Opened, NodeError> {
        let id = to_libp2p(peer).ok_or_else(|| NodeError::NotAPeerId { peer: peer.clone() })?;
        let turn = self.turn(peer, id).await?;
        self.connect(peer, id, None, DIAL_TIMEOUT).await?;
        let failed = |reason: String| {
            let protocol = protocol.clone();
            NodeError::Stream { peer: peer.clone(), protocol, reason }
        };
        let (reply, answer) = oneshot::channel();
        let open = Open { protocol: protocol.clone(), reply };
        self.command(Command::Open { peer: id, open }).await?;
        match timeout(DIAL_TIMEOUT, answer).await {
            Ok(Ok(Ok(Outbound { stream, _busy }))) => Ok(Opened { stream, _turn: turn, _busy }),
            Ok(Ok(Err(OpenError::Unsupported))) => {
                Err(NodeError::UnsupportedProtocol { peer: peer.clone(), protocol })
            }
            Ok(Ok(Err(OpenError::Connection(reason)))) => Err(failed(reason)),
            Ok(Err(_)) => Err(failed("the connection was closed".to_owned())),
            Err(_) => Err(failed(format!("not opened within {} s", DIAL_TIMEOUT.as_secs()))),
        }
    }

    /// Waits for a turn among the requests to one peer, which may never answer the others.
    async fn turn(&self, peer: &PeerId, id: Libp2pId) -> Result<OwnedSemaphorePermit, NodeError> {
        let queue = self.queue(id);
        if let Ok(turn) = queue.turns.clone().try_acquire_owned() {
            return Ok(turn);
        }
        let busy = || NodeError::Busy { peer: peer.clone(), limit: MAX_OUTBOUND_STREAMS_PER_PEER };
        let waiting = Waiting::enter(&queue).ok_or_else(busy)?;
        let turn = timeout(TURN_TIMEOUT, queue.turns.clone().acquire_owned()).await;
        drop(waiting);
        turn.map_err(|_| busy())?.map_err(|_| NodeError::Stopped)
    }

    fn queue(&self, peer: Libp2pId) -> Arc<Queue> {
        let mut queues = self.queues.lock();
        if queues.len() >= MAX_IDLE_QUEUES {
            queues.retain(|_, queue| {
                Arc::strong_count(queue) > 1
                    || queue.turns.available_permits() < MAX_OUTBOUND_STREAMS_PER_PEER
            });
        }
        let fresh = || Queue {
            turns: Arc::new(Semaphore::new(MAX_OUTBOUND_STREAMS_PER_PEER)),
            waiting: AtomicUsize::new(0),
        };
        queues.entry(peer).or_insert_with(|| Arc::new(fresh())).clone()
    }

    async fn command(&self, command: Command) -> Result<(), NodeError> {
        self.commands.send(command).await.map_err(|_| NodeError::Stopped)
    }
}

/// A stream and its turn among those to the same peer.
struct Opened {
    stream: libp2p::Stream,
    _turn: OwnedSemaphorePermit,
    _busy: Busy,
}

/// A place in a queue.
struct Waiting<'a>(&'a Queue);

impl<'a> Waiting<'a> {
    fn enter(queue: &'a Queue) -> Option<Self> {
        let place = queue.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(queue);
        (place < MAX_WAITING_PER_PEER).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn exchange(peer: &PeerId, protocol: StreamProtocol) -> impl FnOnce(ProtocolError) -> NodeError {
    let peer = peer.clone();
    move |source| NodeError::Exchange { peer, protocol, source }
}

impl Transport for NodeHandle {
    fn deliver<'a>(&'a self, to: &'a PeerId, message: Vec<u8>) -> SendFuture<'a> {
        Box::pin(async move {
            let sent = self.send_chat(to, &message).await;
            sent.map_err(|error| SendError { to: to.clone(), reason: error.to_string() })
        })
    }

    fn label_of(&self, peer: &PeerId) -> String {
        self.presence.lock().label_of(peer)
    }

    fn peers(&self) -> PeersFuture<'_> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            match self.command(Command::Connected { reply }).await {
                Ok(()) => answer.await.unwrap_or_default().iter().flat_map(to_peer_id).collect(),
                Err(_) => Vec::new(),
            }
        })
    }
}

impl EmailDirectory for NodeHandle {
    fn email_of(&self, peer: &PeerId) -> Option<String> {
        self.presence.lock().email_of(peer)
    }
}
