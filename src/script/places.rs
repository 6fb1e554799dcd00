//! How many invocations there may be, by what they can take.
//!
//! One that runs may grow to its memory limit at any moment, so there is a small number of places
//! to run, and those times the limit is what all of them can hold. Some more wait for a place,
//! before they have a VM; what is beyond both is refused at once. No script has all of either:
//! [`Shares`] says how many. One that waits for the network
//! can't grow: it counts with what it holds and lends its place to others, which is how ten
//! thousand can wait while a hundred run. Counting everybody alike would either refuse at
//! a hundred that wait or let ten thousand run.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::script::name::ScriptName;
use crate::script::shares::{Alone, NoShare, Share, Shares};

/// The most invocations that wait for the network.
#[cfg(feature = "http")]
const MAX_LENT: usize = 16 * 1024;

/// What those that wait for the network may hold together, in KiB.
#[cfg(feature = "http")]
const MAX_LENT_KIB: usize = 512 * 1024;

/// What a waiting invocation takes beside its VM, as measured: its task, its buffers.
#[cfg(feature = "http")]
const WAITING_OVERHEAD_BYTES: usize = 32 * 1024;

/// As many invocations run and wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    running: Arc<Shares>,
    max_waiting: usize,
    #[cfg(feature = "http")]
    lent: Arc<Shares>,
    #[cfg(feature = "http")]
    lent_kib: Arc<Shares>,
}

/// The place of one invocation, given back when dropped.
#[derive(Debug)]
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "only who waits for the network lends it"))]
pub(crate) struct Place {
    held: Mutex<Option<Share>>,
    script: ScriptName,
    places: Arc<Places>,
}

impl From<NoShare> for Busy {
    fn from(NoShare: NoShare) -> Self {
        Self
    }
}

impl Places {
    pub(crate) fn new(max_running: usize, max_waiting: usize) -> Arc<Self> {
        Arc::new(Self {
            running: Shares::new(max_running.max(1), Alone::ThreeQuarters),
            max_waiting,
            #[cfg(feature = "http")]
            lent: Shares::new(MAX_LENT, Alone::ThreeQuarters),
            #[cfg(feature = "http")]
            lent_kib: Shares::new(MAX_LENT_KIB, Alone::ThreeQuarters),
        })
    }

    /// Waits for a place to run `script`, behind the calls of that script that came before.
    ///
    /// # Errors
    /// [`Busy`] at once when as many run and wait as may, or when the places are closed.
    pub(crate) async fn enter(self: &Arc<Self>, script: &ScriptName) -> Result<Arc<Place>, Busy> {
        let held = self.running.take_or_wait(script, self.max_waiting).await?;
        Ok(Arc::new(Place { held: Mutex::new(Some(held)), script: script.clone(), places: self.clone() }))
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        self.running.close();
    }
}

#[cfg(feature = "http")]
impl Place {
    /// Waits for `work` and lends the place to others meanwhile, if there is room for one more
    /// that holds `held_bytes`. Ends only with a place to run again.
    pub(crate) async fn leave_during<T>(&self, held_bytes: usize, work: impl Future<Output = T>) -> T {
        let kib = held_bytes.saturating_add(WAITING_OVERHEAD_BYTES).div_ceil(1024);
        let room = self.places.lent.try_take(&self.script, 1);
        let room_for_bytes = self.places.lent_kib.try_take(&self.script, kib);
        let (Some(_room), Some(_room_for_bytes)) = (room, room_for_bytes) else {
            return work.await;
        };
        drop(self.held.lock().take());
        let done = work.await;
        // It has been admitted before: who comes back is not refused.
        let held = self.places.running.take(&self.script).await;
        // The places close only when the peer stops; what still runs then runs to its end.
        *self.held.lock() = held.ok();
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: usize = 8;

    fn name(n: usize) -> ScriptName {
        ScriptName::parse(&format!("s{n}")).unwrap()
    }

    /// All places, each for another script.
    async fn all(places: &Arc<Places>) -> Vec<Arc<Place>> {
        let mut taken = Vec::new();
        for n in 0..RUNNING {
            taken.push(places.enter(&name(n)).await.unwrap());
        }
        taken
    }

    #[tokio::test]
    async fn what_is_beyond_all_places_is_refused_and_one_that_leaves_makes_room() {
        let places = Places::new(RUNNING, 0);
        let mut taken = all(&places).await;
        assert_eq!(places.enter(&name(RUNNING)).await.err(), Some(Busy));
        drop(taken.pop());
        assert!(places.enter(&name(RUNNING)).await.is_ok());
        drop(taken);
        assert_eq!(places.running.in_use(), 0);
    }

    #[cfg(feature = "http")]
    #[tokio::test]
    async fn one_that_waits_lends_its_place_and_takes_one_again() {
        let places = Places::new(RUNNING, 0);
        let taken = all(&places).await;
        let waiter = taken.first().unwrap();
        assert!(waiter.leave_during(10_000, async { places.enter(&name(RUNNING)).await.is_ok() }).await);
        assert_eq!(places.enter(&name(RUNNING)).await.err(), Some(Busy));
    }

    #[cfg(feature = "http")]
    #[tokio::test]
    async fn one_that_holds_too_much_keeps_its_place() {
        let places = Places::new(RUNNING, 0);
        let taken = all(&places).await;
        let waiter = taken.first().unwrap();
        let held = MAX_LENT_KIB * 1024;
        let other = async { places.enter(&name(RUNNING)).await.err() };
        assert_eq!(waiter.leave_during(held, other).await, Some(Busy));
    }

    /// Then each request of another script kept a place to run.
    #[cfg(feature = "http")]
    #[tokio::test]
    async fn a_script_whose_calls_hold_much_leaves_others_room_to_wait() {
        const HELD_BYTES: usize = MAX_LENT_KIB * 1024 / 8;
        let places = Places::new(RUNNING, 0);
        let mut lent = Vec::new();
        for _ in 0..RUNNING {
            let place = places.enter(&name(0)).await.unwrap();
            // One look begins the wait; those for whom there is no room keep their place.
            let mut wait =
                Box::pin(async move { place.leave_during(HELD_BYTES, std::future::pending::<()>()).await });
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(wait.as_mut().poll(&mut context).is_pending());
            lent.push(wait);
        }
        let other = places.enter(&name(1)).await.unwrap();
        let running = places.running.in_use();
        let during = async { places.running.in_use() };
        assert_eq!(other.leave_during(HELD_BYTES, during).await, running - 1, "its place is lent");
    }
}
