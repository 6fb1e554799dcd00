//! A place at the relay that the owner named, kept for as long as the peer runs.
//!
//! A peer behind NAT can't be dialed. It keeps a connection to a relay, which hands others over to
//! it; the two then try to reach each other directly (DCUtR), because a relay limits what goes
//! through it. The place is asked for again, ever later, when the relay goes away.

use futures::FutureExt;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::relay::outbound::hop::ReserveError;
use libp2p::swarm::{DialError, Swarm};
use libp2p::{Multiaddr, PeerId as Libp2pId};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::behaviour::Behaviour;
use super::dialing::{chain, describe, describe_transport};
use super::names::{has_name, resolve};

/// The relay and how things stand with it.
pub(super) struct Reservation {
    /// The relay's address as the owner named it, ending in `/p2p/ID`.
    relay: Multiaddr,
    /// The same with the address of its host, once that was looked up.
    at: Multiaddr,
    lookup: Option<JoinHandle<Result<Vec<Multiaddr>, String>>>,
    listener: Option<ListenerId>,
    due: Instant,
    backoff: Backoff,
    /// Why the relay was not reached; its listener does not say.
    unreached: Option<String>,
    /// Whether the owner was told that it does not work; once until it works again.
    complained: bool,
}

impl Reservation {
    /// A reservation at `relay`, an address that ends in `/p2p/ID`; made at the first
    /// [`Reservation::reserve_if_due`].
    pub(super) fn new(relay: Multiaddr) -> Self {
        let (listener, due, at) = (None, Instant::now(), relay.clone());
        Self {
            relay,
            at,
            lookup: None,
            listener,
            due,
            backoff: Backoff::new(),
            unreached: None,
            complained: false,
        }
    }

    /// Asks for the place when there is none and it is time to.
    pub(super) fn reserve_if_due(&mut self, swarm: &mut Swarm<Behaviour>, now: Instant) {
        if self.listener.is_some() || now < self.due {
            return;
        }
        if has_name(&self.relay) {
            match self.looked_up() {
                Some(Ok(at)) => self.at = at,
                Some(Err(reason)) => return self.failed(&reason, now),
                None => return,
            }
        }
        let circuit = self.at.clone().with(Protocol::P2pCircuit);
        swarm.behaviour_mut().guard.name(&circuit);
        match swarm.listen_on(circuit) {
            Ok(listener) => self.listener = Some(listener),
            Err(error) => self.failed(&describe_transport(&error), now),
        }
    }

    /// Where the relay's host is; `None` while that is looked up. Each time another of its
    /// addresses, if it has several: some may not be reached from here.
    fn looked_up(&mut self) -> Option<Result<Multiaddr, String>> {
        let relay = &self.relay;
        let lookup = self.lookup.get_or_insert_with(|| tokio::spawn(resolve(relay.clone())));
        let found = lookup.now_or_never()?;
        self.lookup = None;
        let found = found.unwrap_or_else(|error| Err(error.to_string()));
        Some(found.map(|all| {
            let next = all.iter().position(|at| *at == self.at).map_or(0, |last| last + 1);
            all.get(next).or(all.first()).unwrap_or(&self.relay).clone()
        }))
    }

    /// Whether this listener is the relay's: then others can reach this peer through it from now on.
    pub(super) fn granted(&mut self, listener: ListenerId) -> bool {
        let ours = self.listener == Some(listener);
        if ours {
            self.backoff.worked();
            self.complained = false;
            self.unreached = None;
        }
        ours
    }

    /// Whether this listener was the relay's: then the place is lost, and is asked for again.
    pub(super) fn closed(
        &mut self,
        listener: ListenerId,
        reason: &Result<(), std::io::Error>,
        now: Instant,
    ) -> bool {
        if self.listener != Some(listener) {
            return false;
        }
        let unreached = self.unreached.take();
        let reason = match reason {
            Err(error) => why(error),
            Ok(()) => unreached.unwrap_or_else(|| "the connection was lost".to_owned()),
        };
        self.failed(&reason, now);
        true
    }

    /// A dial failed. Comes before the end of the listener for which it was made.
    pub(super) fn dial_failed(&mut self, peer: Option<Libp2pId>, error: &DialError) {
        let relay = self.relay.iter().last();
        if self.listener.is_some() && peer.is_some_and(|peer| relay == Some(Protocol::P2p(peer))) {
            self.unreached = Some(describe(error));
        }
    }

    /// How to reach `peer` if it has a place at the same relay.
    pub(super) fn circuit_to(&self, peer: Libp2pId) -> Multiaddr {
        self.at.clone().with(Protocol::P2pCircuit).with(Protocol::P2p(peer))
    }

    fn failed(&mut self, reason: &str, now: Instant) {
        self.listener = None;
        self.due = now + self.backoff.failed();
        if !self.complained {
            self.complained = true;
            tracing::warn!(relay = %self.relay, reason, "the relay is not available; it is tried again");
        }
    }
}

/// What the relay, or the one that was taken for one, answered.
fn why(error: &std::io::Error) -> String {
    let mut next = Some(error as &(dyn std::error::Error + 'static));
    // The outermost layer hides the one that it wraps.
    next = error.get_ref().map(|inner| inner as _).or(next);
    while let Some(error) = next {
        match error.downcast_ref() {
            Some(ReserveError::Unsupported) => return "that peer is no relay".to_owned(),
            Some(ReserveError::Refused) => return "it takes nobody in, or not this peer".to_owned(),
            Some(ReserveError::ResourceLimitExceeded) => return "it has no place left".to_owned(),
            _ => next = error.source(),
        }
    }
    chain(error)
}
