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
    /// Events came faster than this listener took them, and those that would have been next are lost.
    Missed {
        /// What they were about.
        feed: Feed,
        /// How many.
        count: u64,
    },
}

/// What events are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// [`PeerEvent::Script`].
    Scripts,
    /// [`PeerEvent::Invocation`].
    Invocations,
    /// [`PeerEvent::Message`].
    Messages,
    /// Connections and presence.
    Mesh,
}

/// A listener for what happens in a peer. One that falls behind misses the oldest events, and is told how many.
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
        let missed = |feed| move |Lagged(count)| PeerEvent::Missed { feed, count };
        tokio::select! {
            event = next_if_any(&mut self.scripts) => {
                event.map_or_else(missed(Feed::Scripts), PeerEvent::Script)
            }
            report = next_if_any(&mut self.invocations) => {
                report.map_or_else(missed(Feed::Invocations), PeerEvent::Invocation)
            }
            message = next_of(&mut self.messages) => {
                message.map_or_else(missed(Feed::Messages), PeerEvent::Message)
            }
            event = next_of(&mut self.mesh.live) => event.unwrap_or_else(missed(Feed::Mesh)),
        }
    }

    /// The next event of a script, leaving out all others.
    pub async fn next_script(&mut self) -> ScriptEvent {
        loop {
            if let Ok(event) = next_if_any(&mut self.scripts).await {
                return event;
            }
        }
    }
}

/// So many events were lost.
struct Lagged(u64);

async fn next_if_any<T: Clone>(receiver: &mut Option<broadcast::Receiver<T>>) -> Result<T, Lagged> {
    match receiver {
        Some(receiver) => next_of(receiver).await,
        None => std::future::pending().await,
    }
}

async fn next_of<T: Clone>(receiver: &mut broadcast::Receiver<T>) -> Result<T, Lagged> {
    match receiver.recv().await {
        Ok(event) => Ok(event),
        Err(RecvError::Lagged(count)) => Err(Lagged(count)),
        Err(RecvError::Closed) => std::future::pending().await,
    }
}

/// What happened in the mesh. That begins before anyone can listen, so what came early is kept for
/// whoever listens later: the dials of the start, and neighbours that answered at once.
#[derive(Clone)]
pub(super) struct EarlyEvents {
    ended: Arc<Mutex<Early>>,
    live: broadcast::Sender<PeerEvent>,
}

/// The first events, and how many more there were.
#[derive(Default)]
struct Early {
    kept: Vec<PeerEvent>,
    more: u64,
}

/// The early events, and those to come.
pub(super) struct EarlyReceiver {
    /// The last one first.
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
        if ended.kept.len() < MAX_EARLY {
            ended.kept.push(event);
        } else {
            ended.more += 1;
        }
    }

    /// Adds what the node tells, until it is gone.
    pub(super) async fn add_all(&self, mut node: broadcast::Receiver<NodeEvent>) {
        loop {
            match next_of(&mut node).await {
                Ok(NodeEvent::Presence(event)) => self.add(PeerEvent::Presence(event)),
                Ok(NodeEvent::Reachable { address }) => self.add(PeerEvent::Reachable { address }),
                // How a peer is connected is nothing that its owner has to know.
                Ok(NodeEvent::Direct { .. }) => {}
                Err(Lagged(count)) => self.add(PeerEvent::Missed { feed: Feed::Mesh, count }),
            }
        }
    }

    pub(super) fn subscribe(&self) -> EarlyReceiver {
        // Under one lock, so that an event is in exactly one of the two.
        let ended = self.ended.lock();
        let more = (ended.more > 0).then_some(PeerEvent::Missed { feed: Feed::Mesh, count: ended.more });
        let earlier = more.into_iter().chain(ended.kept.iter().rev().cloned()).collect();
        EarlyReceiver { live: self.live.subscribe(), earlier }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialed(n: usize) -> PeerEvent {
        let name = "x".repeat(n + 1);
        PeerEvent::Dialed { peer: PeerId::parse(&name).unwrap() }
    }

    /// They were a line in the log and were missing without a word in what `goop2 peer --json` prints.
    #[tokio::test]
    async fn who_falls_behind_is_told_how_many_events_are_lost() {
        let scripts = broadcast::Sender::new(4);
        let (messages, mesh) = (broadcast::Sender::new(4), EarlyEvents::new());
        let mut events = PeerEvents {
            scripts: Some(scripts.subscribe()),
            invocations: None,
            messages: messages.subscribe(),
            mesh: mesh.subscribe(),
        };
        for n in 0..11 {
            scripts.send(ScriptEvent::Removed { name: n.to_string() }).unwrap();
        }
        assert_eq!(events.next().await, PeerEvent::Missed { feed: Feed::Scripts, count: 7 });
        for n in 7..11 {
            let next = ScriptEvent::Removed { name: n.to_string() };
            assert_eq!(events.next().await, PeerEvent::Script(next));
        }
        for _ in 0..BACKLOG + 5 {
            mesh.add(dialed(0));
        }
        assert_eq!(events.next().await, PeerEvent::Missed { feed: Feed::Mesh, count: 5 });
        assert_eq!(events.next().await, dialed(0));
    }

    #[tokio::test]
    async fn who_comes_late_has_the_first_events_and_is_told_how_many_more_there_were() {
        let (messages, mesh) = (broadcast::Sender::new(4), EarlyEvents::new());
        for n in 0..MAX_EARLY + 3 {
            mesh.add(dialed(n));
        }
        let mut events = PeerEvents::new(None, messages.subscribe(), mesh.subscribe());
        mesh.add(dialed(99));
        for n in 0..MAX_EARLY {
            assert_eq!(events.next().await, dialed(n));
        }
        assert_eq!(events.next().await, PeerEvent::Missed { feed: Feed::Mesh, count: 3 });
        assert_eq!(events.next().await, dialed(99));
    }
}
