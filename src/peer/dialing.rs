//! Keeps the peer connected to those whom its owner named.

use std::time::Duration;

use libp2p::Multiaddr;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::events::{EarlyEvents, PeerEvent};
use crate::p2p::{Backoff, NodeHandle};

/// How soon a lost connection is made again: a peer that has nothing to say ends it when it is
/// idle, and is not to be called back at once.
const RECONNECT: Duration = Duration::from_secs(30);

/// Dials every address until it is reached, ever later, and again when the connection is lost.
pub(super) fn keep_dialed(
    handle: &NodeHandle,
    addresses: Vec<Multiaddr>,
    events: &EarlyEvents,
) -> JoinSet<()> {
    let mut dialing = JoinSet::new();
    for address in addresses {
        dialing.spawn(keep(handle.clone(), address, events.clone()));
    }
    dialing
}

async fn keep(handle: NodeHandle, address: Multiaddr, events: EarlyEvents) {
    let mut backoff = Backoff::new();
    let mut told = false;
    loop {
        match handle.dial(address.clone()).await {
            Ok(peer) => {
                told = false;
                backoff.worked();
                events.add(PeerEvent::Dialed { peer: peer.clone() });
                handle.disconnected(&peer).await;
                sleep(RECONNECT).await;
            }
            Err(error) => {
                // Once until it works again: its owner knows, and it goes on for days.
                if !std::mem::replace(&mut told, true) {
                    let reason = error.to_string();
                    events.add(PeerEvent::DialFailed { address: address.clone(), reason });
                }
                sleep(backoff.failed()).await;
            }
        }
    }
}
