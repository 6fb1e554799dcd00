//! Announces this peer, and listens to what others announce.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libp2p::swarm::Swarm;
use libp2p::{Multiaddr, PeerId as Libp2pId, gossipsub};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::behaviour::Behaviour;
use super::identity::to_peer_id;
use super::node::PresenceOptions;
use super::notices::Notices;
use super::origin::Reach;
use super::presence::{Announcement, Heard, Kind, PresenceEvent, SharedPresence};

/// How soon after an announcement the next may follow: neighbours that come together are told
/// together.
const MIN_PAUSE: Duration = Duration::from_millis(250);
/// The most addresses that are announced.
const MAX_ADDRESSES: usize = 12;

/// Speaks and listens for one node.
pub(super) struct Herald {
    config: PresenceOptions,
    label: String,
    table: SharedPresence,
    notices: Notices,
    last: Option<Instant>,
    next: Instant,
    last_ts: i64,
    /// Who waits until a neighbour was told of this peer.
    waiting: Vec<(Libp2pId, oneshot::Sender<()>)>,
}

impl Herald {
    pub(super) fn new(
        config: PresenceOptions,
        label: String,
        table: SharedPresence,
        notices: Notices,
    ) -> Self {
        let (last, waiting) = (None, Vec::new());
        Self { config, label, table, notices, last, next: Instant::now(), last_ts: 0, waiting }
    }

    /// When [`Herald::announce_if_due`] has something to do.
    pub(super) fn due(&self) -> Instant {
        self.next
    }

    /// Announces this peer if it is time to.
    pub(super) fn announce_if_due(&mut self, swarm: &mut Swarm<Behaviour>, now: Instant) {
        if self.next <= now {
            self.last = Some(now);
            self.next = now + self.config.heartbeat;
            self.say(swarm, Kind::Online);
        }
    }

    /// Says that this peer goes. Tells whether anyone was there to hear it.
    pub(super) fn farewell(&mut self, swarm: &mut Swarm<Behaviour>) -> bool {
        self.say(swarm, Kind::Offline) > 0
    }

    /// Tells `reply` once `peer` was told of this peer.
    pub(super) fn when_told(&mut self, peer: Libp2pId, reply: oneshot::Sender<()>) {
        self.waiting.retain(|(_, reply)| !reply.is_closed());
        self.waiting.push((peer, reply));
        self.next = self.soon();
    }

    /// Takes what GossipSub has; gives what it changed.
    pub(super) fn on_event(
        &mut self,
        swarm: &mut Swarm<Behaviour>,
        event: gossipsub::Event,
    ) -> Option<PresenceEvent> {
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                let heard = self.hear(swarm.local_peer_id(), &propagation_source, &message);
                if let Some(gossip) = swarm.behaviour_mut().gossip.as_mut() {
                    gossip.judged(&message_id, &propagation_source, heard.is_some());
                }
                heard.flatten()
            }
            // A newcomer need not wait for the next heartbeat.
            gossipsub::Event::Subscribed { .. } => {
                self.next = self.soon();
                None
            }
            _ => None,
        }
    }

    /// The peers that were silent for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<PresenceEvent> {
        self.table.lock().expire(now)
    }

    fn soon(&self) -> Instant {
        self.last.map_or_else(Instant::now, |last| last + MIN_PAUSE).min(self.next)
    }

    /// `None` when the message is not one to pass on.
    fn hear(
        &self,
        own: &Libp2pId,
        neighbour: &Libp2pId,
        message: &gossipsub::Message,
    ) -> Option<Option<PresenceEvent>> {
        let signer = message.source.filter(|signer| signer != own)?;
        let said = Announcement::decode(&message.data)?;
        let (peer, neighbour) = (to_peer_id(&signer).ok()?, to_peer_id(neighbour).ok()?);
        if said.peer_id != peer.as_str() {
            tracing::debug!(%peer, "an announcement about another peer was dropped");
            return None;
        }
        match self.table.lock().hear(&peer, &neighbour, said, Instant::now()) {
            Heard::Taken(changed) => Some(changed),
            Heard::Old => None,
            Heard::Full => {
                let detail = format_args!("{neighbour} brings more than there is room for");
                self.notices.tell("too many peers announce themselves", detail);
                None
            }
        }
    }

    /// Publishes; gives how many neighbours it goes to.
    fn say(&mut self, swarm: &mut Swarm<Behaviour>, kind: Kind) -> usize {
        let own = *swarm.local_peer_id();
        let addresses = swarm.listeners().filter(|a| Reach::of(a) != Some(Reach::Loopback));
        let addrs = addresses.take(MAX_ADDRESSES).map(Multiaddr::to_string).collect();
        // Never the same twice, so that each is newer than the one before.
        self.last_ts = now_ms().max(self.last_ts + 1);
        let announcement = Announcement {
            kind,
            peer_id: own.to_base58(),
            content: self.label.clone(),
            email: self.config.email.clone(),
            addrs,
            ts: self.last_ts,
        };
        let Some(gossip) = swarm.behaviour_mut().gossip.as_mut() else { return 0 };
        let told = gossip.publish(announcement.encode());
        for (_, reply) in self.waiting.extract_if(.., |(peer, _)| told.contains(peer)) {
            let _ = reply.send(());
        }
        told.len()
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
