//! What happens in a peer, from all its parts in one place, for whoever shows it to the owner.

use std::sync::Arc;

use libp2p::Multiaddr;
use parking_lot::Mutex;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::chat::Message;
use crate::p2p::{NodeEvent, PresenceEvent};
use crate::peer_id::PeerId;
use crate::script::{Engine, InvocationReport, ScriptEvent};

/// How many events of the mesh a listener may be behind.
const BACKLOG: usize = 256;

/// How many of them are kept for a listener that comes later.
const MAX_EARLY: usize = 64;

/// Something happened in a peer.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerEvent {
    /// A script was loaded, rejected or removed.
    Script(ScriptEvent),
    /// A script was called, and has ended.
    Invocation(Arc<InvocationReport>),
    /// A chat message was received, or sent.
    Message(Arc<Message>),
    /// A peer came online, changed its label or went offline.
    Presence(PresenceEvent),
    /// The relay took this peer in.
    Reachable {
        /// How others can reach it there.
        address: Multiaddr,
    },
    /// A peer that is to be kept connected is connected.
    Dialed {
        /// The peer.
        peer: PeerId,
    },
    /// A peer that is to be kept connected can't be reached. Told once until it is; it is tried
    /// again.
    DialFailed {
        /// Its address.
        address: Multiaddr,
        /// Why.
        reason: String,
    },
}

/// A listener for what happens in a peer. One that falls behind misses the oldest events.
pub struct PeerEvents {
    scripts: Option<broadcast::Receiver<ScriptEvent>>,
    invocations: Option<broadcast::Receiver<Arc<InvocationReport>>>,
    messages: broadcast::Receiver<Arc<Message>>,
    mesh: EarlyReceiver,
}

impl PeerEvents {
    pub(super) fn new(
        engine: Option<&Engine>,
        messages: broadcast::Receiver<Arc<Message>>,
        mesh: EarlyReceiver,
    ) -> Self {
        let scripts = engine.map(Engine::events);
        Self { scripts, invocations: engine.map(Engine::invocations), messages, mesh }
    }

    /// The next event. Waits for ever once the peer is gone; abandoning the wait loses nothing.
    pub async fn next(&mut self) -> PeerEvent {
        if let Some(event) = self.mesh.earlier.pop() {
            return event;
        }
        tokio::select! {
            event = next_if_any(&mut self.scripts) => PeerEvent::Script(event),
            report = next_if_any(&mut self.invocations) => PeerEvent::Invocation(report),
            message = next_of(&mut self.messages) => PeerEvent::Message(message),
            event = next_of(&mut self.mesh.live) => event,
        }
    }

    /// The next event of a script, leaving out all others.
    pub async fn next_script(&mut self) -> ScriptEvent {
        next_if_any(&mut self.scripts).await
    }
}

async fn next_if_any<T: Clone>(receiver: &mut Option<broadcast::Receiver<T>>) -> T {
    match receiver {
        Some(receiver) => next_of(receiver).await,
        None => std::future::pending().await,
    }
}

async fn next_of<T: Clone>(receiver: &mut broadcast::Receiver<T>) -> T {
    loop {
        match receiver.recv().await {
            Ok(event) => return event,
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "events were missed"),
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// What happened in the mesh. That begins before anyone can listen, so what came early is kept for
/// whoever listens later: the dials of the start, and neighbours that answered at once.
#[derive(Clone)]
pub(super) struct EarlyEvents {
    ended: Arc<Mutex<Vec<PeerEvent>>>,
    live: broadcast::Sender<PeerEvent>,
}

/// The early events, and those to come.
pub(super) struct EarlyReceiver {
    earlier: Vec<PeerEvent>,
    live: broadcast::Receiver<PeerEvent>,
}

impl EarlyEvents {
    pub(super) fn new() -> Self {
        Self { ended: Arc::default(), live: broadcast::Sender::new(BACKLOG) }
    }

    pub(super) fn add(&self, event: PeerEvent) {
        let mut ended = self.ended.lock();
        // Nobody may be listening yet.
        let _ = self.live.send(event.clone());
        if ended.len() < MAX_EARLY {
            ended.push(event);
        }
    }

    /// Adds what the node tells, until it is gone.
    pub(super) async fn add_all(&self, mut node: broadcast::Receiver<NodeEvent>) {
        loop {
            match next_of(&mut node).await {
                NodeEvent::Presence(event) => self.add(PeerEvent::Presence(event)),
                NodeEvent::Reachable { address } => self.add(PeerEvent::Reachable { address }),
                // How a peer is connected is nothing that its owner has to know.
                NodeEvent::Direct { .. } => {}
            }
        }
    }

    pub(super) fn subscribe(&self) -> EarlyReceiver {
        // Under one lock, so that an event is in exactly one of the two.
        let ended = self.ended.lock();
        EarlyReceiver { live: self.live.subscribe(), earlier: ended.iter().rev().cloned().collect() }
    }
}
