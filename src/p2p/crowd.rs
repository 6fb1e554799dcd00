//! How many of something strangers may hold at a time: in all, per origin, and per member of it.
//!
//! A limit that only refuses is a weapon: whoever fills it keeps everyone else out. So a newcomer
//! who has less than those who fill it takes a place from the one who has most. What is left to an
//! attacker is to compete with themselves.
//!
//! Used for handshakes (where a member has not shown who it is yet) and for streams in service.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::origin::Origin;

/// The limits of a [`Crowd`].
#[derive(Debug, Clone, Copy)]
pub(super) struct CrowdLimits {
    /// In all.
    pub(super) total: usize,
    /// Of one origin.
    pub(super) per_origin: usize,
    /// Of one member.
    pub(super) per_member: usize,
    /// Whether the newest is preferred to the oldest of the same kind. For what an honest member
    /// ends at once, so that what has been there for long is the suspect.
    pub(super) prefers_new: bool,
}

/// Which limit left no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// That of all.
    Total,
    /// That of the origin.
    Origin,
    /// That of the member.
    Member,
}

/// Counts what is held. Cloning gives another handle to the same crowd.
#[derive(Debug)]
pub(super) struct Crowd<M> {
    limits: CrowdLimits,
    places: Arc<Mutex<Places<M>>>,
}

impl<M> Clone for Crowd<M> {
    fn clone(&self) -> Self {
        Self { limits: self.limits, places: self.places.clone() }
    }
}

#[derive(Debug)]
struct Places<M> {
    next: u64,
    /// Oldest first.
    held: VecDeque<Place<M>>,
    /// Who waits for a place.
    wakers: Vec<Waker>,
}

#[derive(Debug)]
struct Place<M> {
    number: u64,
    origin: Origin,
    member: M,
    evict: oneshot::Sender<()>,
}

/// The right to one place; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Permit<M> {
    crowd: Crowd<M>,
    number: u64,
    origin: Origin,
    evicted: oneshot::Receiver<()>,
}

impl<M: Clone + Eq + Hash> Crowd<M> {
    pub(super) fn new(limits: CrowdLimits) -> Self {
        let places = Places { next: 0, held: VecDeque::new(), wakers: Vec::new() };
        Self { limits, places: Arc::new(Mutex::new(places)) }
    }

    /// A place for one more of `member`, if need be at the cost of another, who is told through
    /// its [`Permit`]. It does not wait: a queue of strangers needs a bound of its own.
    pub(super) fn enter(&self, origin: Origin, member: &M) -> Result<Permit<M>, Full> {
        let mut places = self.places.lock();
        if let Some(full) = self.full(&places, origin, member) {
            let victim = self.victim(&places, full, origin, member).ok_or(full)?;
            if let Some(victim) = places.held.remove(victim) {
                // Its holder may be gone already.
                let _ = victim.evict.send(());
            }
        }
        let number = places.next;
        places.next += 1;
        let (evict, evicted) = oneshot::channel();
        places.held.push_back(Place { number, origin, member: member.clone(), evict });
        drop(places);
        Ok(Permit { crowd: self.clone(), number, origin, evicted })
    }

    /// Wakes `waker` once when a place is given back, whoever's it was: then is the time to try
    /// again. To wake all who wait is cheaper than to find out whose limit is no longer met.
    pub(super) fn wake_when_free(&self, waker: &Waker) {
        let mut places = self.places.lock();
        if !places.wakers.iter().any(|known| known.will_wake(waker)) {
            places.wakers.push(waker.clone());
        }
    }

    fn full(&self, places: &Places<M>, origin: Origin, member: &M) -> Option<Full> {
        let of_origin = || places.held.iter().filter(|place| place.origin == origin);
        let of_member = of_origin().filter(|place| place.member == *member).count();
        if of_member >= self.limits.per_member {
            Some(Full::Member)
        } else if of_origin().count() >= self.limits.per_origin {
            Some(Full::Origin)
        } else if places.held.len() >= self.limits.total {
            Some(Full::Total)
        } else {
            None
        }
    }

    /// Whose place the newcomer gets: the oldest of the largest group, if that has more than the
    /// newcomer would have.
    fn victim(&self, places: &Places<M>, full: Full, origin: Origin, member: &M) -> Option<usize> {
        let held = &places.held;
        match full {
            Full::Member => None,
            Full::Origin => {
                let same_origin = |place: &&Place<M>| place.origin == origin;
                let groups = held.iter().filter(same_origin).map(|place| &place.member);
                let largest = self.larger(groups, member)?;
                held.iter().position(|place| place.origin == origin && place.member == largest)
            }
            Full::Total => {
                let largest = self.larger(held.iter().map(|place| &place.origin), &origin)?;
                held.iter().position(|place| place.origin == largest)
            }
        }
    }

    /// The group with the most places, the one with the oldest among equals, unless the newcomer's
    /// would be as large.
    fn larger<'a, G: Clone + Eq + Hash + 'a>(
        &self,
        groups: impl Iterator<Item = &'a G> + Clone,
        newcomer: &G,
    ) -> Option<G> {
        let mut counts = HashMap::<&G, usize>::new();
        for group in groups.clone() {
            *counts.entry(group).or_insert(0) += 1;
        }
        let most = counts.values().copied().max()?;
        let own = counts.get(newcomer).copied().unwrap_or(0);
        if !self.limits.prefers_new && most <= own + 1 {
            return None;
        }
        groups.into_iter().find(|group| counts.get(group) == Some(&most)).cloned()
    }

    /// How many places are held.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.places.lock().held.len()
    }
}

impl<M> Permit<M> {
    /// Whose place it is counted as.
    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    /// Ready when the place went to somebody else: what it is held for must end.
    pub(super) fn poll_evicted(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.evicted.poll_unpin(cx).map(|_| ())
    }

    /// Waits until the place goes to somebody else.
    pub(super) async fn evicted(&mut self) {
        // The sender lives as long as the place, and a place without a permit is gone.
        let _ = (&mut self.evicted).await;
    }
}

impl<M> Drop for Permit<M> {
    fn drop(&mut self) {
        let mut places = self.crowd.places.lock();
        places.held.retain(|place| place.number != self.number);
        let wakers = std::mem::take(&mut places.wakers);
        // Whoever is woken may want the lock at once.
        drop(places);
        wakers.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn host(last: u8) -> Origin {
        Origin::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    fn crowd(prefers_new: bool) -> Crowd<char> {
        Crowd::new(CrowdLimits { total: 8, per_origin: 4, per_member: 3, prefers_new })
    }

    fn is_evicted(permit: &mut Permit<char>) -> bool {
        permit.poll_evicted(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[test]
    fn a_member_is_bounded_and_places_come_back() {
        let crowd = crowd(false);
        let held: Vec<_> = std::iter::from_fn(|| crowd.enter(host(1), &'a').ok()).collect();
        assert_eq!(held.len(), 3);
        assert_eq!(crowd.enter(host(1), &'a').unwrap_err(), Full::Member);
        drop(held);
        assert_eq!(crowd.len(), 0);
        assert!(crowd.enter(host(1), &'a').is_ok());
    }

    #[test]
    fn a_newcomer_takes_a_place_from_whoever_has_most() {
        let crowd = crowd(false);
        let mut first: Vec<_> = (0..3).map(|_| crowd.enter(host(1), &'a').unwrap()).collect();
        let mut others = vec![crowd.enter(host(1), &'b').unwrap()];
        // The origin is full: `c` has less than `a`, so `a` loses its oldest.
        others.push(crowd.enter(host(1), &'c').unwrap());
        assert!(is_evicted(&mut first[0]) && !is_evicted(&mut first[1]) && !is_evicted(&mut others[0]));
        // Now a has 2, b and c 1 each; d takes one more of a, and then nobody has more than the next.
        others.push(crowd.enter(host(1), &'d').unwrap());
        assert!(is_evicted(&mut first[1]));
        assert_eq!(crowd.enter(host(1), &'e').unwrap_err(), Full::Origin);
        assert_eq!(crowd.len(), 4);
    }

    #[test]
    fn one_origin_that_fills_everything_makes_room_for_another() {
        let crowd = Crowd::new(CrowdLimits { total: 4, per_origin: 4, per_member: 4, prefers_new: false });
        let mut greedy: Vec<_> = (0..4).map(|_| crowd.enter(host(1), &'a').unwrap()).collect();
        let other = crowd.enter(host(2), &'b').unwrap();
        assert!(is_evicted(&mut greedy[0]));
        assert_eq!(crowd.enter(host(1), &'a').unwrap_err(), Full::Total);
        drop(other);
        assert!(crowd.enter(host(1), &'a').is_ok());
    }

    /// Sockets that say nothing once kept every visitor of the same host out.
    #[test]
    fn where_new_is_preferred_the_oldest_goes() {
        let crowd = Crowd::new(CrowdLimits { total: 8, per_origin: 4, per_member: 4, prefers_new: true });
        let enter = |origin| crowd.enter(origin, &'-');
        let mut silent: Vec<_> =
            (0..40).filter_map(|n| crowd.enter(host(1), &(char::from(b'a' + n % 26))).ok()).collect();
        assert_eq!(silent.len(), 40);
        assert_eq!(crowd.len(), 4);
        assert!(is_evicted(&mut silent[35]) && !is_evicted(&mut silent[36]));
        let _many: Vec<_> = (2..30).map(|n| enter(host(n)).unwrap()).collect();
        assert_eq!(crowd.len(), 8);
    }
}
