//! How many streams may be in service at a time: in all, and per peer.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::peer_id::PeerId;

/// The most inbound streams in service for all peers together. Each may hold a request of 1 MiB
/// and a data answer of 4 MiB, so this is what keeps strangers below some hundred MiB.
const MAX_STREAMS: usize = 128;

/// The most inbound streams in service for one peer: twice what this implementation opens to one
/// peer, so that a page with many pictures loads; five such peers don't fill [`MAX_STREAMS`].
const MAX_STREAMS_PER_PEER: usize = 24;

/// Counts the inbound streams in service.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    per_peer: HashMap<PeerId, usize>,
}

/// The right to one stream in service; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Permit {
    gate: Gate,
    peer: PeerId,
}

impl Gate {
    /// A place for one more stream of `peer`, or `None` when there is none. It does not wait: a
    /// queue of strangers would need a bound of its own.
    pub(super) fn enter(&self, peer: &PeerId) -> Option<Permit> {
        let mut counts = self.0.lock();
        let of_peer = counts.per_peer.get(peer).copied().unwrap_or(0);
        if counts.total >= MAX_STREAMS || of_peer >= MAX_STREAMS_PER_PEER {
            return None;
        }
        counts.total += 1;
        counts.per_peer.insert(peer.clone(), of_peer + 1);
        drop(counts);
        Some(Permit { gate: self.clone(), peer: peer.clone() })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.gate.0.lock();
        counts.total = counts.total.saturating_sub(1);
        if let Some(count) = counts.per_peer.get_mut(&self.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.per_peer.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> PeerId {
        PeerId::parse(text).unwrap()
    }

    #[test]
    fn one_peer_cannot_take_every_place_and_places_come_back() {
        let gate = Gate::default();
        let held: Vec<_> = std::iter::from_fn(|| gate.enter(&peer("A"))).collect();
        assert_eq!(held.len(), MAX_STREAMS_PER_PEER);
        assert!(gate.enter(&peer("B")).is_some());
        drop(held);
        assert!(gate.enter(&peer("A")).is_some());
        assert!(gate.0.lock().per_peer.is_empty());
    }

    #[test]
    fn all_peers_together_are_bounded() {
        let gate = Gate::default();
        let mut held = Vec::new();
        for name in "ABCDEFGH".chars() {
            held.extend(std::iter::from_fn(|| gate.enter(&peer(&name.to_string()))));
        }
        assert_eq!(held.len(), MAX_STREAMS);
        assert!(gate.enter(&peer("Z")).is_none());
    }
}
