//! What the rest of the peer asks of the network.

use std::collections::HashMap;
use std::sync::Arc;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId as Libp2pId, Stream, StreamProtocol};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use super::error::{NodeError, ProtocolError};
use super::identity::{to_libp2p, to_peer_id};
use super::protocols::{CHAT, CONTENT, DATA, SITE, fetch_content, fetch_site, request_data, write_chat};
use super::streams::{Open, OpenError};
use super::swarm::{Command, DIAL_TIMEOUT};
use crate::chat::{PeersFuture, Transport};
use crate::peer_id::PeerId;
use crate::script::{SendError, SendFuture};

/// The most streams this peer has open to one other peer; further requests wait their turn. Half
/// of what this implementation serves to one peer, so that waiting, not refusal, is the rule.
pub const MAX_OUTBOUND_STREAMS_PER_PEER: usize = 12;

/// Above this many peers, those with no stream open are forgotten.
const MAX_IDLE_QUEUES: usize = 256;

/// Asks a node for things. Cloning is cheap; when the node is gone, every method fails with
/// [`NodeError::Stopped`].
#[derive(Clone)]
pub struct NodeHandle {
    own: PeerId,
    commands: mpsc::Sender<Command>,
    queues: Arc<Mutex<HashMap<Libp2pId, Arc<Semaphore>>>>,
}

impl NodeHandle {
    pub(super) fn new(own: PeerId, commands: mpsc::Sender<Command>) -> Self {
        Self { own, commands, queues: Arc::default() }
    }

    /// This peer's id.
    pub fn id(&self) -> &PeerId {
        &self.own
    }

    /// Connects to the peer at `address`, which ends in `/p2p/ID`, unless there is a connection.
    ///
    /// # Errors
    /// Within ten seconds, with the reason, when the peer can't be reached there or is another.
    pub async fn dial(&self, address: Multiaddr) -> Result<PeerId, NodeError> {
        let Some(Protocol::P2p(id)) = address.iter().last() else {
            return Err(NodeError::NoPeerId { address });
        };
        let Ok(peer) = to_peer_id(&id) else { return Err(NodeError::NoPeerId { address }) };
        self.connect(&peer, id, Some(address)).await?;
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

    /// Asks the peer for its label.
    ///
    /// # Errors
    /// When the peer can't be reached, or the exchange breaks a limit of size or time.
    pub async fn fetch_content(&self, peer: &PeerId) -> Result<String, NodeError> {
        let mut opened = self.open(peer, CONTENT).await?;
        let label = fetch_content(&mut opened.stream).await;
        label.map_err(exchange(peer, CONTENT))
    }

    async fn connect(
        &self,
        peer: &PeerId,
        id: Libp2pId,
        address: Option<Multiaddr>,
    ) -> Result<(), NodeError> {
        let unreachable = |reason: String| NodeError::Unreachable { peer: peer.clone(), reason };
        if *peer == self.own {
            return Err(unreachable("that is this peer itself".to_owned()));
        }
        let (reply, answer) = oneshot::channel();
        self.command(Command::Connect { peer: id, address, reply }).await?;
        match timeout(DIAL_TIMEOUT, answer).await {
            Ok(Ok(connected)) => connected.map_err(unreachable),
            Ok(Err(_)) => Err(NodeError::Stopped),
            Err(_) => Err(unreachable(format!("no answer within {} s", DIAL_TIMEOUT.as_secs()))),
        }
    }

    async fn open(&self, peer: &PeerId, protocol: StreamProtocol) -> Result<Opened, NodeError> {
        let id = to_libp2p(peer).ok_or_else(|| NodeError::NotAPeerId { peer: peer.clone() })?;
        let turn = self.queue(id).acquire_owned().await.map_err(|_| NodeError::Stopped)?;
        self.connect(peer, id, None).await?;
        let failed = |reason: String| {
            let protocol = protocol.clone();
            NodeError::Stream { peer: peer.clone(), protocol, reason }
        };
        let (reply, answer) = oneshot::channel();
        let open = Open { protocol: protocol.clone(), reply };
        self.command(Command::Open { peer: id, open }).await?;
        match timeout(DIAL_TIMEOUT, answer).await {
            Ok(Ok(Ok(stream))) => Ok(Opened { stream, _turn: turn }),
            Ok(Ok(Err(OpenError::Unsupported))) => {
                Err(NodeError::UnsupportedProtocol { peer: peer.clone(), protocol })
            }
            Ok(Ok(Err(OpenError::Connection(reason)))) => Err(failed(reason)),
            Ok(Err(_)) => Err(failed("the connection was closed".to_owned())),
            Err(_) => Err(failed(format!("not opened within {} s", DIAL_TIMEOUT.as_secs()))),
        }
    }

    fn queue(&self, peer: Libp2pId) -> Arc<Semaphore> {
        let mut queues = self.queues.lock();
        if queues.len() >= MAX_IDLE_QUEUES {
            queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        queues.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(MAX_OUTBOUND_STREAMS_PER_PEER))).clone()
    }

    async fn command(&self, command: Command) -> Result<(), NodeError> {
        self.commands.send(command).await.map_err(|_| NodeError::Stopped)
    }
}

/// A stream and its turn among those to the same peer.
struct Opened {
    stream: Stream,
    _turn: OwnedSemaphorePermit,
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

    /// Empty until peers announce themselves: asking each caller would let a caller decide how
    /// long its own command waits.
    fn label_of(&self, _peer: &PeerId) -> String {
        String::new()
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
