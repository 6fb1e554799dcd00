//! How often scripts may be called: sliding windows of a minute, per peer and for all peers.
//!
//! The window slides exactly: the times of the admitted calls of the last minute are kept, where
//! two counters would let a caller have twice the limit across a boundary. Only admitted calls
//! are remembered, so a flood of fresh identities takes no more memory than the global limit
//! admits, and a refused caller who keeps trying is not kept out for longer. What leaves the window is
//! taken out in the order it came in, a few entries a call, however many callers are known.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::peer_id::PeerId;
use crate::script::name::ScriptName;

/// The length of the window.
const WINDOW: Duration = Duration::from_secs(60);

/// A call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimited {
    /// How long until a call would be admitted.
    pub(crate) retry_after: Duration,
}

/// Counts the calls of the last minute.
pub(crate) struct RateLimiter {
    per_peer: usize,
    global: usize,
    windows: Mutex<Windows>,
}

#[derive(Default)]
struct Windows {
    /// Every admitted call of the last minute, the oldest first.
    all: VecDeque<Admitted>,
    of_peer: HashMap<PeerId, VecDeque<Instant>>,
    /// For scripts with a limit of their own.
    of_peer_and_script: HashMap<(PeerId, ScriptName), VecDeque<Instant>>,
}

struct Admitted {
    at: Instant,
    peer: PeerId,
    /// The script, if it has a limit of its own.
    script: Option<ScriptName>,
}

impl RateLimiter {
    pub(crate) fn new(per_peer: u32, global: u32) -> Self {
        Self { per_peer: per_peer as usize, global: global as usize, windows: Mutex::default() }
    }

    /// Admits and counts a call, or says how long to wait. `script` is the script called and the
    /// limit of its own, if it has one, which never lifts the others.
    pub(crate) fn admit(
        &self,
        peer: &PeerId,
        script: Option<(&ScriptName, u32)>,
        now: Instant,
    ) -> Result<(), RateLimited> {
        let mut windows = self.windows.lock();
        windows.forget_before(now);
        let key = script.map(|(name, limit)| ((peer.clone(), name.clone()), limit as usize));
        let oldest_of_all = (windows.all.len().checked_sub(self.global))
            .and_then(|nth| windows.all.get(nth))
            .map(|call| call.at);
        let oldest_of_peer = nth_last(windows.of_peer.get(peer), self.per_peer);
        let oldest_of_script =
            key.as_ref().and_then(|(key, limit)| nth_last(windows.of_peer_and_script.get(key), *limit));
        let blocking = [oldest_of_all, oldest_of_peer, oldest_of_script];
        if let Some(last) = blocking.into_iter().flatten().max() {
            return Err(RateLimited { retry_after: WINDOW.saturating_sub(now.duration_since(last)) });
        }
        windows.all.push_back(Admitted { at: now, peer: peer.clone(), script: script.map(|s| s.0.clone()) });
        windows.of_peer.entry(peer.clone()).or_default().push_back(now);
        if let Some((key, _)) = key {
            windows.of_peer_and_script.entry(key).or_default().push_back(now);
        }
        Ok(())
    }
}

/// The call that has to leave the window before there is room for one more, if there is none now.
fn nth_last(times: Option<&VecDeque<Instant>>, limit: usize) -> Option<Instant> {
    let times = times?;
    times.len().checked_sub(limit).and_then(|nth| times.get(nth)).copied()
}

impl Windows {
    fn forget_before(&mut self, now: Instant) {
        while self.all.front().is_some_and(|call| now.duration_since(call.at) >= WINDOW) {
            let Some(oldest) = self.all.pop_front() else { return };
            if let Some(script) = oldest.script {
                forget_oldest(&mut self.of_peer_and_script, (oldest.peer.clone(), script));
            }
            forget_oldest(&mut self.of_peer, oldest.peer);
        }
    }
}

/// Takes the oldest call out of a window, and the window out of the map with its last one.
fn forget_oldest<K: Hash + Eq>(windows: &mut HashMap<K, VecDeque<Instant>>, key: K) {
    if let Entry::Occupied(mut window) = windows.entry(key) {
        window.get_mut().pop_front();
        if window.get().is_empty() {
            window.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: usize) -> PeerId {
        let digits: String = n.to_string().chars().map(|c| if c == '0' { 'z' } else { c }).collect();
        PeerId::parse(&format!("peer{digits}")).unwrap()
    }

    #[test]
    fn the_window_slides_and_names_the_wait() {
        let limiter = RateLimiter::new(2, 100);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(limiter.admit(&peer(1), None, at(0)), Ok(()));
        assert_eq!(limiter.admit(&peer(1), None, at(30)), Ok(()));
        let refused = limiter.admit(&peer(1), None, at(50)).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(10));
        assert_eq!(limiter.admit(&peer(2), None, at(50)), Ok(()), "another peer is not affected");
        assert_eq!(limiter.admit(&peer(1), None, at(60)), Ok(()), "the first call has left the window");
        assert!(limiter.admit(&peer(1), None, at(61)).is_err());
    }

    #[test]
    fn the_global_limit_holds_over_fresh_identities_and_memory_is_bounded() {
        let limiter = RateLimiter::new(10, 60);
        let now = Instant::now();
        let admitted = (0..10_000).filter(|n| limiter.admit(&peer(*n), None, now).is_ok()).count();
        assert_eq!(admitted, 60);
        assert_eq!(limiter.windows.lock().of_peer.len(), 60);
        let later = now + WINDOW;
        assert!(limiter.admit(&peer(1), None, later).is_ok());
        assert_eq!(limiter.windows.lock().of_peer.len(), 1);
    }

    #[test]
    fn a_scripts_own_limit_counts_for_that_script_and_peer_only() {
        let limiter = RateLimiter::new(10, 60);
        let (strict, other) = (ScriptName::parse("strict").unwrap(), ScriptName::parse("other").unwrap());
        let now = Instant::now();
        assert!(limiter.admit(&peer(1), Some((&strict, 1)), now).is_ok());
        assert!(limiter.admit(&peer(1), Some((&strict, 1)), now).is_err());
        assert!(limiter.admit(&peer(1), Some((&other, 1)), now).is_ok());
        assert!(limiter.admit(&peer(2), Some((&strict, 1)), now).is_ok());
    }
}
