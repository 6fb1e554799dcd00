//! How many database requests run at once, and whose is next.
//!
//! Each may take seconds of a blocking thread and of the disk. Identities are free and addresses are
//! not, so turns are given by address: one has half of them at most, and a turn that comes free goes
//! to the waiting address that has used the least time lately. Rejected: first come, first served,
//! with which one address that asks slow questions under many names fills the queue for all.
//!
//! Who waits is not counted here: each waits on a stream, and those are bounded (`p2p/crowd.rs`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::peer_id::PeerId;

/// How many run at once.
const MAX_RUNNING: usize = 8;

/// How many of one origin run at once.
const MAX_RUNNING_PER_ORIGIN: usize = MAX_RUNNING / 2;

/// How many of one peer run or wait at once.
const MAX_PER_PEER: usize = 4;

/// How long a request waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// After how long the use of an origin counts half.
const HALF_LIFE: Duration = Duration::from_secs(10);

/// An origin that used less than this is forgotten, in seconds.
const FORGOTTEN: f64 = 0.001;

/// The most origins whose use is remembered. With more at once, the use of all that are idle is
/// forgotten: many addresses are many strangers.
const MAX_ORIGINS: usize = 1024;

/// Hands out turns.
#[derive(Debug)]
pub(super) struct Turns {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    running: usize,
    /// First come first.
    waiting: Vec<Waiter>,
    origins: HashMap<Arc<str>, Usage>,
    /// Only peers with a request under way are listed.
    peers: HashMap<PeerId, usize>,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    origin: Arc<str>,
    granted: oneshot::Sender<()>,
}

/// What an origin has and had.
#[derive(Debug, Clone, Copy)]
struct Usage {
    running: usize,
    /// The time used until `at`, in seconds, what is long ago counted less.
    used: f64,
    at: Instant,
}

/// The right to use the database, or a place in the queue for it; it ends when dropped. It moves
/// into the blocking task, because that goes on when the visitor hangs up.
#[derive(Debug)]
pub(super) struct Turn {
    state: Arc<Mutex<State>>,
    number: u64,
    peer: PeerId,
    origin: Arc<str>,
}

impl Usage {
    fn used(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        // Requests under way count from their first moment, or a slow one is free until its end.
        self.used * 0.5_f64.powf(since / HALF_LIFE.as_secs_f64()) + since * self.running as f64
    }

    fn change(&mut self, now: Instant, running: impl FnOnce(usize) -> usize) {
        self.used = self.used(now);
        self.at = now;
        self.running = running(self.running);
    }
}

impl State {
    /// Gives what turns there are to those who wait.
    fn grant(&mut self, now: Instant) {
        while self.running < MAX_RUNNING {
            let used = |waiter: &Waiter| match self.origins.get(&waiter.origin) {
                Some(usage) if usage.running >= MAX_RUNNING_PER_ORIGIN => None,
                Some(usage) => Some(usage.used(now)),
                None => Some(0.0),
            };
            let candidates = self.waiting.iter().enumerate();
            let candidates = candidates.filter_map(|(place, waiter)| Some((place, used(waiter)?)));
            // The first among equals.
            let Some((place, _)) = candidates.min_by(|(_, a), (_, b)| a.total_cmp(b)) else { return };
            let Waiter { origin, granted, .. } = self.waiting.remove(place);
            self.running += 1;
            self.usage(origin, now).change(now, |running| running + 1);
            // Who gave up meanwhile gives it back when their place is dropped.
            let _ = granted.send(());
        }
    }

    fn usage(&mut self, origin: Arc<str>, now: Instant) -> &mut Usage {
        if self.origins.len() >= MAX_ORIGINS && !self.origins.contains_key(&origin) {
            self.origins.retain(|_, usage| usage.running > 0 || usage.used(now) > FORGOTTEN);
            if self.origins.len() >= MAX_ORIGINS {
                self.origins.retain(|_, usage| usage.running > 0);
            }
        }
        self.origins.entry(origin).or_insert(Usage { running: 0, used: 0.0, at: now })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut state = self.state.lock();
        match state.waiting.iter().position(|waiter| waiter.number == self.number) {
            Some(place) => drop(state.waiting.remove(place)),
            None => {
                state.running = state.running.saturating_sub(1);
                let origin = Arc::clone(&self.origin);
                state.usage(origin, now).change(now, |running| running.saturating_sub(1));
            }
        }
        match state.peers.get_mut(&self.peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(state.peers.remove(&self.peer)),
        }
        state.grant(now);
    }
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { state: Arc::default() }
    }

    /// Waits for a turn of `peer`, which comes from `origin`; `None` when the peer has too many
    /// under way or the wait is too long.
    pub(super) async fn take(&self, peer: &PeerId, origin: &str) -> Option<Turn> {
        let (turn, granted) = self.enter(peer, origin.into())?;
        tokio::time::timeout(MAX_WAIT, granted).await.ok()?.ok()?;
        Some(turn)
    }

    fn enter(&self, peer: &PeerId, origin: Arc<str>) -> Option<(Turn, oneshot::Receiver<()>)> {
        let mut state = self.state.lock();
        let count = state.peers.entry(peer.clone()).or_insert(0);
        if *count >= MAX_PER_PEER {
            return None;
        }
        *count += 1;
        let number = state.next;
        state.next += 1;
        let (granted, received) = oneshot::channel();
        state.waiting.push(Waiter { number, origin: Arc::clone(&origin), granted });
        state.grant(Instant::now());
        Some((Turn { state: Arc::clone(&self.state), number, peer: peer.clone(), origin }, received))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn peer(name: &str) -> PeerId {
        PeerId::parse(name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_peer_cannot_take_every_turn() {
        let turns = Turns::new();
        let mut held = Vec::new();
        for _ in 0..MAX_PER_PEER {
            held.push(turns.take(&peer("busy"), "here").await.unwrap());
        }
        assert!(turns.take(&peer("busy"), "here").await.is_none());
        assert!(turns.take(&peer("other"), "there").await.is_some());
        held.clear();
        assert!(turns.take(&peer("busy"), "here").await.is_some());
        assert!(turns.state.lock().peers.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_for_a_turn_ends_and_leaves_nothing_behind() {
        let turns = Turns::new();
        let mut held = Vec::new();
        for name in ["a", "b"] {
            for _ in 0..MAX_RUNNING_PER_ORIGIN {
                held.push(turns.take(&peer(name), name).await.unwrap());
            }
        }
        assert!(turns.take(&peer("c"), "c").await.is_none());
        held.clear();
        let state = turns.state.lock();
        assert!(state.waiting.is_empty() && state.peers.is_empty() && state.running == 0, "{state:?}");
    }

    /// Fourteen identities of one address, each with a slow question, once kept everybody out.
    #[tokio::test(start_paused = true)]
    async fn however_many_names_an_address_has_another_gets_its_turn_at_once() {
        let turns = Turns::new();
        let names: Vec<_> = (1..=14).map(|number| peer(&"m".repeat(number))).collect();
        let mut crowd: Vec<_> = names.iter().map(|name| Box::pin(turns.take(name, "crowd"))).collect();
        let running: Vec<_> = crowd.iter_mut().filter_map(|taking| taking.now_or_never().flatten()).collect();
        assert_eq!(running.len(), MAX_RUNNING_PER_ORIGIN);
        assert!(turns.take(&peer("honest"), "elsewhere").now_or_never().flatten().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_goes_to_who_used_the_least_time_lately() {
        let turns = Turns::new();
        let mut held = Vec::new();
        for name in ["a", "b"] {
            for _ in 0..MAX_RUNNING_PER_ORIGIN {
                held.push(turns.take(&peer(name), name).await.unwrap());
            }
        }
        // Both wait for more, and came before the newcomer.
        let greedy = ["c", "d", "e", "f"].map(peer);
        let mut waiting: Vec<_> = greedy.iter().map(|name| Box::pin(turns.take(name, "a"))).collect();
        assert!(waiting.iter_mut().all(|taking| taking.now_or_never().is_none()));
        let (newcomer, again) = (peer("new"), peer("new2"));
        let mut new = Box::pin(turns.take(&newcomer, "new"));
        assert!((&mut new).now_or_never().is_none());
        tokio::time::advance(Duration::from_secs(2)).await;
        drop(held.remove(0));
        let first = (&mut new).now_or_never().flatten().expect("who used nothing is first");
        assert!(waiting.iter_mut().all(|taking| taking.now_or_never().is_none()));
        // What was used is forgotten with time, so a regular visitor does not wait for ever.
        drop((first, waiting, held));
        tokio::time::advance(20 * HALF_LIFE).await;
        let now = Instant::now();
        assert!(turns.state.lock().origins.values().all(|usage| usage.used(now) < FORGOTTEN));
        assert!(turns.take(&again, "a").await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_without_end_are_not_remembered() {
        let turns = Turns::new();
        for number in 0..3 * MAX_ORIGINS {
            let turn = turns.take(&peer("a"), &number.to_string()).await.unwrap();
            tokio::time::advance(Duration::from_millis(10)).await;
            drop(turn);
        }
        assert!(turns.state.lock().origins.len() <= MAX_ORIGINS);
    }
}
