//! Who waits for which connection, and where peers were reached before.

use std::collections::VecDeque;
use std::error::Error;

use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId as Libp2pId, TransportError};
use tokio::sync::oneshot;

/// Peers whose addresses are remembered, so that they can be dialed again by id.
const MAX_REMEMBERED: usize = 256;

/// How an attempt to connect ends; `Err` has the reason.
pub(super) type ConnectReply = oneshot::Sender<Result<(), String>>;

/// The dials under way and the addresses that worked.
#[derive(Debug, Default)]
pub(super) struct Dialing {
    waiting: Vec<Waiting>,
    /// Oldest first.
    reached: VecDeque<(Libp2pId, Multiaddr)>,
}

/// Somebody who waits for a connection.
#[derive(Debug)]
struct Waiting {
    peer: Libp2pId,
    address: Option<Multiaddr>,
    dial: ConnectionId,
    reply: ConnectReply,
}

impl Dialing {
    /// The dial to the same peer and address that is under way already.
    pub(super) fn under_way(&self, peer: Libp2pId, address: Option<&Multiaddr>) -> Option<ConnectionId> {
        let same = |other: &&Waiting| other.peer == peer && other.address.as_ref() == address;
        self.waiting.iter().find(same).map(|other| other.dial)
    }

    /// Tells `reply` how the dial ends.
    pub(super) fn wait(
        &mut self,
        peer: Libp2pId,
        address: Option<Multiaddr>,
        dial: ConnectionId,
        reply: ConnectReply,
    ) {
        // Those who no longer wait are let go of here, where the list grows.
        self.waiting.retain(|waiting| !waiting.reply.is_closed());
        self.waiting.push(Waiting { peer, address, dial, reply });
    }

    /// Where the peer was reached last.
    pub(super) fn reached(&self, peer: &Libp2pId) -> Option<Multiaddr> {
        self.reached.iter().find(|(known, _)| known == peer).map(|(_, address)| address.clone())
    }

    /// There is a connection with `peer`; `dialed` is its address if this peer made it.
    pub(super) fn connected(&mut self, peer: Libp2pId, dialed: Option<&Multiaddr>) {
        if let Some(address) = dialed {
            self.reached.retain(|(known, _)| *known != peer);
            self.reached.push_back((peer, address.clone()));
            if self.reached.len() > MAX_REMEMBERED {
                self.reached.pop_front();
            }
        }
        for waiting in self.waiting.extract_if(.., |waiting| waiting.peer == peer) {
            let _ = waiting.reply.send(Ok(()));
        }
    }

    /// A dial failed.
    pub(super) fn failed(&mut self, dial: ConnectionId, error: &DialError) {
        for waiting in self.waiting.extract_if(.., |waiting| waiting.dial == dial) {
            let _ = waiting.reply.send(Err(describe(error)));
        }
    }
}

/// Why a dial failed, for people.
pub(super) fn describe(error: &DialError) -> String {
    match error {
        DialError::Transport(tried) => {
            let each =
                tried.iter().map(|(address, error)| format!("{address}: {}", describe_transport(error)));
            each.collect::<Vec<_>>().join("; ")
        }
        DialError::NoAddresses => NO_ADDRESS.to_owned(),
        DialError::WrongPeerId { obtained, .. } => format!("another peer answers there: {obtained}"),
        DialError::LocalPeerId { .. } => "that is this peer itself".to_owned(),
        DialError::Denied { cause } => chain(cause),
        DialError::Aborted => "the attempt was given up".to_owned(),
        DialError::DialPeerConditionFalse(_) => error.to_string(),
    }
}

/// Why a peer that never was reached can't be.
pub(super) const NO_ADDRESS: &str = "no address of it is known; dial it by its address first";

/// Why a transport failed, for people.
pub(super) fn describe_transport(error: &TransportError<std::io::Error>) -> String {
    match error {
        TransportError::MultiaddrNotSupported(_) => {
            "an address must be /ip4, /ip6 or /dns with /tcp for this peer".to_owned()
        }
        TransportError::Other(error) => chain(error),
    }
}

/// The error and what caused it, from the outside in, without the layers that only repeat what is
/// below them.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts = Vec::<String>::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !parts.iter().any(|known| known.contains(&text)) {
            parts.retain(|known| !text.contains(known.as_str()));
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}
