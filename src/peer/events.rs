//! What happens in a peer, from all its parts in one place, for whoever shows it to the owner.

use std::sync::Arc;

use libp2p::Multiaddr;
use parking_lot::Mutex;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::chat::Message;
use crate::peer_id::PeerId;
use crate::script::{Engine, InvocationReport, ScriptEvent};

/// Results of dials kept for a listener; a peer is started with a few.
const DIAL_BACKLOG: usize = 64;

/// Something happened in a peer.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerEvent {
    /// A script was loaded, rejected or removed.
    Script(ScriptEvent),
    /// A script was called, and has ended.
    Invocation(Arc<InvocationReport>),
    /// A chat message was received, or sent.
    Message(Arc<Message>),
    /// A peer that was to be dialed at the start is connected.
    Dialed {
        /// The peer.
        peer: PeerId,
    },
    /// A peer that was to be dialed at the start can't be reached.
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
    dials: DialReceiver,
}

impl PeerEvents {
    pub(super) fn new(
        engine: Option<&Engine>,
        messages: broadcast::Receiver<Arc<Message>>,
        dials: DialReceiver,
    ) -> Self {
        let scripts = engine.map(Engine::events);
        Self { scripts, invocations: engine.map(Engine::invocations), messages, dials }
    }

    /// The next event. Waits for ever once the peer is gone; abandoning the wait loses nothing.
    pub async fn next(&mut self) -> PeerEvent {
        if let Some(event) = self.dials.earlier.pop() {
            return event;
        }
        tokio::select! {
            event = next_if_any(&mut self.scripts) => PeerEvent::Script(event),
            report = next_if_any(&mut self.invocations) => PeerEvent::Invocation(report),
            message = next_of(&mut self.messages) => PeerEvent::Message(message),
            dial = next_of(&mut self.dials.live) => dial,
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

/// How the dials of the start ended. They begin before anyone can listen, so what ended early is
/// kept for whoever listens later.
#[derive(Clone)]
pub(super) struct Dials {
    ended: Arc<Mutex<Vec<PeerEvent>>>,
    live: broadcast::Sender<PeerEvent>,
}

/// The ended dials, and those to come.
pub(super) struct DialReceiver {
    earlier: Vec<PeerEvent>,
    live: broadcast::Receiver<PeerEvent>,
}

impl Dials {
    pub(super) fn new() -> Self {
        Self { ended: Arc::default(), live: broadcast::Sender::new(DIAL_BACKLOG) }
    }

    pub(super) fn add(&self, event: PeerEvent) {
        let mut ended = self.ended.lock();
        // Nobody may be listening yet.
        let _ = self.live.send(event.clone());
        ended.push(event);
    }

    pub(super) fn subscribe(&self) -> DialReceiver {
        // Under one lock, so that an event is in exactly one of the two.
        let ended = self.ended.lock();
        DialReceiver { live: self.live.subscribe(), earlier: ended.iter().rev().cloned().collect() }
    }
}
