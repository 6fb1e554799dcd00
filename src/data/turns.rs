//! How many database requests run at once, in all and for one peer.
//!
//! Each may take seconds of a blocking thread and of the disk. The limit for one peer is what keeps
//! a single visitor with many streams from being the only one served; a queue for each peer was
//! rejected as more memory that strangers fill.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::peer_id::PeerId;

/// How many run at once.
const MAX_RUNNING: usize = 8;

/// How many of one peer run or wait at once.
const MAX_PER_PEER: usize = 4;

/// How long a request waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Hands out turns.
#[derive(Debug)]
pub(super) struct Turns {
    running: Arc<Semaphore>,
    /// Only peers with a request under way are listed.
    peers: Arc<Mutex<HashMap<PeerId, usize>>>,
}

/// The right to use the database; it ends when dropped. It moves into the blocking task, because
/// that goes on when the visitor hangs up.
#[derive(Debug)]
pub(super) struct Turn {
    _peer: PeerTurn,
    _running: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct PeerTurn {
    peer: PeerId,
    peers: Arc<Mutex<HashMap<PeerId, usize>>>,
}

impl Drop for PeerTurn {
    fn drop(&mut self) {
        let mut peers = self.peers.lock();
        match peers.get_mut(&self.peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                peers.remove(&self.peer);
            }
        }
    }
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { running: Arc::new(Semaphore::new(MAX_RUNNING)), peers: Arc::default() }
    }

    /// Waits for a turn; `None` when the peer has too many under way or the wait is too long.
    pub(super) async fn take(&self, peer: &PeerId) -> Option<Turn> {
        let _peer = self.enter(peer)?;
        let permit = tokio::time::timeout(MAX_WAIT, Arc::clone(&self.running).acquire_owned()).await;
        let _running = permit.ok()?.ok()?;
        Some(Turn { _peer, _running })
    }

    fn enter(&self, peer: &PeerId) -> Option<PeerTurn> {
        let mut peers = self.peers.lock();
        let count = peers.entry(peer.clone()).or_insert(0);
        if *count >= MAX_PER_PEER {
            return None;
        }
        *count += 1;
        Some(PeerTurn { peer: peer.clone(), peers: Arc::clone(&self.peers) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_peer_cannot_take_every_turn() {
        let turns = Turns::new();
        let (busy, other) = (PeerId::parse("busy").unwrap(), PeerId::parse("other").unwrap());
        let mut held = Vec::new();
        for _ in 0..MAX_PER_PEER {
            held.push(turns.take(&busy).await.unwrap());
        }
        assert!(turns.take(&busy).await.is_none());
        assert!(turns.take(&other).await.is_some());
        held.clear();
        assert!(turns.take(&busy).await.is_some());
        assert!(turns.peers.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_for_a_turn_ends() {
        let turns = Turns::new();
        let mut held = Vec::new();
        for name in ["a", "b"] {
            for _ in 0..MAX_RUNNING / 2 {
                held.push(turns.take(&PeerId::parse(name).unwrap()).await.unwrap());
            }
        }
        assert!(turns.take(&PeerId::parse("c").unwrap()).await.is_none());
    }
}
