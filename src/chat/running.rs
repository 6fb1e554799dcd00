//! How many commands are in progress, and to whom it is being said that there are too many.
//!
//! The answer that a command is not run is a message to its sender, who may not take it. So it has a
//! bound too, one at a time for each peer: who sends more meanwhile is told by the one that is under way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::manager::{MAX_DISPATCHES, MAX_DISPATCHES_PER_PEER};
use crate::peer_id::PeerId;

/// What is in progress. Cloning gives another handle to the same.
///
/// Not under the lock of the tasks: one counts itself out when it is dropped, which a stopping
/// runtime does while a task is being added.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    /// Only peers with a command in progress are listed.
    commands: HashMap<PeerId, usize>,
    refusals: HashSet<PeerId>,
}

/// A limit on commands is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full {
    /// Commands in progress, of the peer or of all.
    pub(super) running: usize,
    pub(super) limit: usize,
}

/// One command in progress, until dropped: its task may end, be aborted, or panic.
#[derive(Debug)]
pub(super) struct Command {
    running: Running,
    pub(super) peer: PeerId,
}

/// One answer that a command was not run, until dropped.
#[derive(Debug)]
pub(super) struct Refusal {
    running: Running,
    pub(super) peer: PeerId,
}

impl Running {
    /// Counts a command of `peer`.
    pub(super) fn command(&self, peer: &PeerId) -> Result<Command, Full> {
        let mut counts = self.0.lock();
        let of_peer = counts.commands.get(peer).copied().unwrap_or(0);
        let of_all = counts.commands.values().sum();
        for (running, limit) in [(of_peer, MAX_DISPATCHES_PER_PEER), (of_all, MAX_DISPATCHES)] {
            if running >= limit {
                return Err(Full { running, limit });
            }
        }
        counts.commands.insert(peer.clone(), of_peer + 1);
        Ok(Command { running: self.clone(), peer: peer.clone() })
    }

    /// Counts an answer to `peer`; `None` when one is under way, or too many are to others.
    pub(super) fn refusal(&self, peer: &PeerId) -> Option<Refusal> {
        let mut counts = self.0.lock();
        let fits = counts.refusals.len() < MAX_DISPATCHES && counts.refusals.insert(peer.clone());
        fits.then(|| Refusal { running: self.clone(), peer: peer.clone() })
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        let mut counts = self.running.0.lock();
        match counts.commands.get_mut(&self.peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.commands.remove(&self.peer)),
        }
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        self.running.0.lock().refusals.remove(&self.peer);
    }
}
