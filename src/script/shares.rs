//! Something that all scripts share and of which there is only so much: places to run, look-ups, queries.
//!
//! A visitor can call one script as often as the rate limits let them, and each call may hold what it got until
//! its deadline. So a script gets one more only while what it holds is in proportion to what is free: a greedy
//! script leaves a part to the others, a second one a part of that, and the last of all is for a script that has
//! none. What is given back goes to the script that holds the least. A fixed number for each script was rejected:
//! small, it wastes what nobody else wants; large, two scripts together hold everything.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::script::name::ScriptName;

/// How much of everything a script may have that is alone in wanting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alone {
    /// Where a few are plenty.
    #[cfg_attr(
        not(any(feature = "http", feature = "db")),
        allow(dead_code, reason = "places to run are shared out otherwise")
    )]
    AQuarter,
    /// Where most peers have one script that is called much.
    ThreeQuarters,
}

/// As many hold one and wait for one as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoShare;

/// What is shared.
#[derive(Debug)]
pub(crate) struct Shares {
    alone: Alone,
    state: Mutex<State>,
}

/// A part of it, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Arc<Shares>,
    script: ScriptName,
    size: usize,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: usize,
    next_number: u64,
    is_closed: bool,
    /// Of the scripts that hold or want something, and no others.
    of_script: HashMap<ScriptName, Own>,
}

/// What one script holds, and who waits for it to hold more, in the order they came.
#[derive(Debug, Default)]
struct Own {
    held: usize,
    /// When it was last given one, as one of the numbers; 0 is never.
    last_given: u64,
    queue: BTreeMap<u64, oneshot::Sender<Share>>,
}

impl Alone {
    /// Whether who has `held` may have `more` of the `free`: what it would hold is weighed against what would be
    /// left. Who has nothing may have all.
    fn allows(self, held: usize, more: usize, free: usize) -> bool {
        let Some(left) = free.checked_sub(more) else { return false };
        let holds = held.saturating_add(more);
        held == 0
            || match self {
                Self::AQuarter => holds.saturating_mul(3) <= left,
                Self::ThreeQuarters => holds <= left.saturating_mul(3),
            }
    }
}

impl Shares {
    pub(crate) fn new(all: usize, alone: Alone) -> Arc<Self> {
        let state =
            State { free: all, waiting: 0, next_number: 0, is_closed: false, of_script: HashMap::new() };
        Arc::new(Self { alone, state: Mutex::new(state) })
    }

    /// Waits for one, for as long as it takes.
    ///
    /// # Errors
    /// When this is closed.
    #[cfg_attr(
        not(any(feature = "http", feature = "db")),
        allow(dead_code, reason = "for a place to run only so many wait")
    )]
    pub(crate) async fn take(self: &Arc<Self>, script: &ScriptName) -> Result<Share, NoShare> {
        self.take_or_wait(script, usize::MAX).await
    }

    /// Waits for one, unless too many of `max_waiting` wait already. Who may have one at once never waits.
    ///
    /// # Errors
    /// At once when too many wait, or when this is closed.
    pub(crate) async fn take_or_wait(
        self: &Arc<Self>,
        script: &ScriptName,
        max_waiting: usize,
    ) -> Result<Share, NoShare> {
        let (number, granted) = {
            let mut state = self.state.lock();
            if state.is_closed {
                return Err(NoShare);
            }
            let (held, own_waiting) =
                state.of_script.get(script).map_or((0, 0), |own| (own.held, own.queue.len()));
            if own_waiting == 0 && self.alone.allows(held, 1, state.free) {
                state.give(script, 1);
                return Ok(Share { shares: self.clone(), script: script.clone(), size: 1 });
            }
            if !self.alone.allows(own_waiting, 1, max_waiting.saturating_sub(state.waiting)) {
                return Err(NoShare);
            }
            state.wait(script)
        };
        let _waiting = Waiting { shares: self, script, number };
        granted.await.map_err(|_| NoShare)
    }

    /// A share of `size` if it can be had at once.
    #[cfg(feature = "http")]
    pub(crate) fn try_take(self: &Arc<Self>, script: &ScriptName, size: usize) -> Option<Share> {
        let mut state = self.state.lock();
        let held = state.of_script.get(script).map_or(0, |own| own.held);
        if state.is_closed || !self.alone.allows(held, size, state.free) {
            return None;
        }
        state.give(script, size);
        Some(Share { shares: self.clone(), script: script.clone(), size })
    }

    /// Gives nothing to anybody any more; who waits is refused.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        for own in state.of_script.values_mut() {
            own.queue.clear();
        }
        state.waiting = 0;
    }

    /// How many are held and wait together.
    #[cfg(test)]
    pub(crate) fn in_use(&self) -> usize {
        let state = self.state.lock();
        state.of_script.values().map(|own| own.held + own.queue.len()).sum()
    }

    /// Changes what a script has, and hands on what that makes free.
    fn change(self: &Arc<Self>, script: &ScriptName, change: impl FnOnce(&mut State, &mut Own)) {
        let mut granted = Vec::new();
        {
            let mut state = self.state.lock();
            let Some(mut own) = state.of_script.remove(script) else { return };
            change(&mut state, &mut own);
            if own.held > 0 || !own.queue.is_empty() {
                state.of_script.insert(script.clone(), own);
            }
            while let Some((script, waiter)) = state.next(self.alone) {
                granted.push((Share { shares: self.clone(), script, size: 1 }, waiter));
            }
        }
        for (share, waiter) in granted {
            // Outside the lock: who has gone meanwhile gives it back here.
            drop(waiter.send(share));
        }
    }
}

impl State {
    fn wait(&mut self, script: &ScriptName) -> (u64, oneshot::Receiver<Share>) {
        let (grant, granted) = oneshot::channel();
        let number = self.next_number;
        self.next_number += 1;
        self.waiting += 1;
        self.of_script.entry(script.clone()).or_default().queue.insert(number, grant);
        (number, granted)
    }

    /// Gives so much to `script`.
    fn give(&mut self, script: &ScriptName, size: usize) {
        self.free -= size;
        self.next_number += 1;
        let own = self.of_script.entry(script.clone()).or_default();
        own.held += size;
        own.last_given = self.next_number;
    }

    /// Gives one to whoever is next: the script that has the least, and of those the one that was last given one
    /// the longest ago.
    fn next(&mut self, alone: Alone) -> Option<(ScriptName, oneshot::Sender<Share>)> {
        let wanting = self.of_script.iter().filter(|(_, own)| !own.queue.is_empty());
        let (script, own) =
            wanting.min_by_key(|(_, own)| (own.held, own.last_given, own.queue.keys().next()))?;
        if !alone.allows(own.held, 1, self.free) {
            return None;
        }
        let script = script.clone();
        let (_, waiter) = self.of_script.get_mut(&script)?.queue.pop_first()?;
        self.waiting -= 1;
        self.give(&script, 1);
        Some((script, waiter))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.change(&self.script, |state, own| {
            state.free += self.size;
            own.held -= self.size;
        });
    }
}

/// Leaves the queue when it is dropped.
struct Waiting<'a> {
    shares: &'a Arc<Shares>,
    script: &'a ScriptName,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shares.change(self.script, |state, own| {
            if own.queue.remove(&self.number).is_some() {
                state.waiting -= 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ScriptName {
        ScriptName::parse(text).unwrap()
    }

    /// All that `script` is given without waiting.
    async fn all_for(shares: &Arc<Shares>, script: &str) -> Vec<Share> {
        let mut taken = Vec::new();
        while let Ok(share) = shares.take_or_wait(&name(script), 0).await {
            taken.push(share);
        }
        taken
    }

    /// One look at a future.
    fn look<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn one_script_alone_has_its_part_and_many_together_leave_some() {
        for (alone, expected, others) in [(Alone::AQuarter, 16, 9), (Alone::ThreeQuarters, 48, 3)] {
            let shares = Shares::new(64, alone);
            let mut held = vec![all_for(&shares, "first").await];
            assert_eq!(held[0].len(), expected);
            for n in 0..others {
                let more = all_for(&shares, &format!("greedy{n}")).await;
                assert!(!more.is_empty(), "{alone:?}: nothing is left for script {n}");
                held.push(more);
            }
            drop(held);
            assert_eq!(shares.in_use(), 0);
            assert!(shares.state.lock().of_script.is_empty(), "nothing is kept of who has gone");
        }
    }

    #[cfg(feature = "http")]
    #[tokio::test]
    async fn large_shares_are_weighed_by_their_size() {
        let shares = Shares::new(100, Alone::ThreeQuarters);
        let held = [shares.try_take(&name("greedy"), 40), shares.try_take(&name("greedy"), 35)];
        assert!(held.iter().all(Option::is_some));
        assert!(shares.try_take(&name("greedy"), 1).is_none());
        assert!(shares.try_take(&name("other"), 26).is_none(), "there are 25");
        assert!(shares.try_take(&name("other"), 25).is_some());
        drop(held);
        assert_eq!(shares.in_use(), 0);
    }

    #[tokio::test]
    async fn where_there_is_one_it_can_be_had() {
        let shares = Shares::new(1, Alone::AQuarter);
        assert_eq!(all_for(&shares, "a").await.len(), 1);
    }

    #[tokio::test]
    async fn what_is_given_back_goes_to_who_has_the_least() {
        let shares = Shares::new(3, Alone::ThreeQuarters);
        let (greedy, modest) = (name("greedy"), name("modest"));
        let mut held = all_for(&shares, "greedy").await;
        let other = shares.take(&name("other")).await.unwrap();
        assert_eq!(held.len(), 2);
        let mut third = Box::pin(shares.take(&greedy));
        let mut first = Box::pin(shares.take(&modest));
        assert!(look(&mut third).is_none() && look(&mut first).is_none());
        held.pop();
        assert!(look(&mut third).is_none(), "it came first and has one already");
        assert!(look(&mut first).unwrap().is_ok());
        assert!(look(&mut third).is_none(), "the last one is for who has none");
        drop(other);
        assert!(look(&mut third).unwrap().is_ok());
    }

    #[tokio::test]
    async fn the_queue_is_shared_likewise_and_who_leaves_it_makes_room() {
        let shares = Shares::new(1, Alone::ThreeQuarters);
        let (greedy, modest) = (name("greedy"), name("modest"));
        let held = shares.take(&greedy).await.unwrap();
        let wait = || Box::pin(shares.take_or_wait(&greedy, 4));
        let mut waiting: Vec<_> = (0..3).map(|_| wait()).collect();
        assert!(waiting.iter_mut().all(|waiter| look(waiter).is_none()));
        assert!(look(&mut wait()).unwrap().is_err());
        let mut other = Box::pin(shares.take_or_wait(&modest, 4));
        assert!(look(&mut other).is_none());
        waiting.pop();
        assert_eq!(shares.in_use(), 4);
        drop(held);
        assert!(look(&mut other).unwrap().is_ok(), "the scripts take turns");
        assert!(look(waiting.first_mut().unwrap()).unwrap().is_ok());
        drop((other, waiting));
        assert_eq!(shares.in_use(), 0);
    }

    /// It was granted and nobody looked any more.
    #[tokio::test]
    async fn what_is_given_to_one_that_has_gone_is_handed_on() {
        let shares = Shares::new(1, Alone::ThreeQuarters);
        let held = shares.take(&name("a")).await.unwrap();
        let (b, c) = (name("b"), name("c"));
        let (mut gone, mut next) = (Box::pin(shares.take(&b)), Box::pin(shares.take(&c)));
        assert!(look(&mut gone).is_none() && look(&mut next).is_none());
        drop(held);
        drop(gone);
        assert!(look(&mut next).unwrap().is_ok());
    }

    #[tokio::test]
    async fn closing_refuses_who_waits_and_who_comes() {
        let shares = Shares::new(1, Alone::ThreeQuarters);
        let _held = shares.take(&name("a")).await.unwrap();
        let b = name("b");
        let mut waiting = Box::pin(shares.take(&b));
        assert!(look(&mut waiting).is_none());
        shares.close();
        assert_eq!(look(&mut waiting).unwrap().err(), Some(NoShare));
        assert_eq!(shares.take(&name("c")).await.err(), Some(NoShare));
    }
}
