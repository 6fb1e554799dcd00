//! Keeps the peer connected to those whom its owner named.

use std::time::Duration;

use libp2p::Multiaddr;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::events::{EarlyEvents, PeerEvent};
use crate::p2p::{Backoff, NodeHandle};

/// The longest wait before a peer is tried again. A peer that restarts is back before long, and
/// one attempt in half a minute costs nobody anything.
const LONGEST: Duration = Duration::from_secs(30);

/// A connection that lasted: losing it is news, and it is made again at once. One that is lost
/// sooner may be refused by a peer that is full, which is not to be called again and again.
const LASTED: Duration = Duration::from_secs(30);

/// Dials every address until it is reached, ever later, and again when the connection is lost:
/// within a second at first, because a peer that is silent for 20 s is offline to others.
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
    let mut backoff = Backoff::new().at_most(LONGEST);
    let mut told = false;
    loop {
        match handle.dial(address.clone()).await {
            Ok(peer) => {
                told = false;
                events.add(PeerEvent::Dialed { peer: peer.clone() });
                let since = Instant::now();
                handle.disconnected(&peer).await;
                if since.elapsed() >= LASTED {
                    backoff.worked();
                }
            }
            Err(error) => {
                // Once until it works again: its owner knows, and it goes on for days.
                if !std::mem::replace(&mut told, true) {
                    let reason = error.to_string();
                    events.add(PeerEvent::DialFailed { address: address.clone(), reason });
                }
            }
        }
        sleep(backoff.failed()).await;
    }
}
