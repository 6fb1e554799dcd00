//! How many invocations there may be, by what they can take.
//!
//! One that runs may grow to its memory limit at any moment, so there is a small number of places
//! to run, and those times the limit is what all of them can hold. One that waits for the network
//! can't grow: it counts with what it holds and lends its place to others, which is how ten
//! thousand can wait while 64 run. Counting everybody alike would either refuse at 64 that wait or
//! let ten thousand run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most invocations that run at once.
pub(crate) const MAX_RUNNING: usize = 64;

/// The most invocations in all: running, waiting for the network, and waiting for a place.
const MAX_UNDER_WAY: usize = 16 * 1024;

/// What those that wait for the network may hold together, in KiB.
#[cfg(feature = "http")]
const MAX_WAITING_KIB: usize = 512 * 1024;

/// What a waiting invocation takes beside its VM, as measured: its task, its buffers.
#[cfg(feature = "http")]
const WAITING_OVERHEAD_BYTES: usize = 32 * 1024;

/// How long an invocation waits for a place before it is refused.
const MAX_QUEUED: Duration = Duration::from_secs(1);

/// There are as many invocations under way as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    running: Arc<Semaphore>,
    #[cfg(feature = "http")]
    waiting_kib: Arc<Semaphore>,
    under_way: AtomicUsize,
}

/// The place of one invocation, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    running: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Places {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            running: Arc::new(Semaphore::new(MAX_RUNNING)),
            #[cfg(feature = "http")]
            waiting_kib: Arc::new(Semaphore::new(MAX_WAITING_KIB)),
            under_way: AtomicUsize::new(0),
        })
    }

    /// Counts one more in, which may not run yet.
    ///
    /// # Errors
    /// [`Busy`] when there are too many already, so that a queue can't grow.
    pub(crate) fn reserve(self: &Arc<Self>) -> Result<Arc<Place>, Busy> {
        let taken = self.under_way.fetch_add(1, Ordering::AcqRel);
        // From here on the drop of the place counts it out again.
        let place = Arc::new(Place { places: self.clone(), running: Mutex::new(None) });
        if taken >= MAX_UNDER_WAY { Err(Busy) } else { Ok(place) }
    }
}

impl Place {
    /// Waits until it may run, not for long.
    ///
    /// # Errors
    /// [`Busy`] after a second.
    pub(crate) async fn enter(&self) -> Result<(), Busy> {
        let permit = tokio::time::timeout(MAX_QUEUED, self.places.running.clone().acquire_owned()).await;
        *self.running.lock() = Some(permit.map_err(|_| Busy)?.map_err(|_| Busy)?);
        Ok(())
    }

    /// Waits for `work` and lends the place to others meanwhile, if there is room for one more
    /// that holds `held_bytes`. Ends only with a place to run again.
    #[cfg(feature = "http")]
    pub(crate) async fn leave_during<T>(&self, held_bytes: usize, work: impl Future<Output = T>) -> T {
        let kib = held_bytes.saturating_add(WAITING_OVERHEAD_BYTES).div_ceil(1024);
        let kib = u32::try_from(kib).unwrap_or(u32::MAX);
        let Ok(_waiting) = self.places.waiting_kib.clone().try_acquire_many_owned(kib) else {
            return work.await;
        };
        drop(self.running.lock().take());
        let done = work.await;
        let permit = self.places.running.clone().acquire_owned().await;
        // The semaphore is never closed.
        *self.running.lock() = permit.ok();
        done
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn enter(places: &Arc<Places>) -> Result<Arc<Place>, Busy> {
        let place = places.reserve()?;
        place.enter().await.map(|()| place)
    }

    async fn all(places: &Arc<Places>) -> Vec<Arc<Place>> {
        let mut taken = Vec::new();
        for _ in 0..MAX_RUNNING {
            taken.push(enter(places).await.unwrap());
        }
        taken
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_house_refuses_and_one_that_leaves_makes_room() {
        let places = Places::new();
        let mut taken = all(&places).await;
        assert_eq!(enter(&places).await.err(), Some(Busy));
        let leaving = taken.pop();
        let (found, ()) = tokio::join!(enter(&places), async { drop(leaving) });
        assert!(found.is_ok());
        drop((taken, found));
        assert_eq!(places.under_way.load(Ordering::Acquire), 0);
    }

    #[test]
    fn those_in_the_queue_are_bounded_too() {
        let places = Places::new();
        let reserved: Vec<_> = (0..MAX_UNDER_WAY).map(|_| places.reserve().unwrap()).collect();
        assert_eq!(places.reserve().err(), Some(Busy));
        drop(reserved);
        assert!(places.reserve().is_ok());
    }

    #[cfg(feature = "http")]
    #[tokio::test(start_paused = true)]
    async fn one_that_waits_lends_its_place_and_takes_one_again() {
        let places = Places::new();
        let taken = all(&places).await;
        let waiter = taken.first().unwrap();
        assert!(waiter.leave_during(10_000, async { enter(&places).await.is_ok() }).await);
        assert_eq!(enter(&places).await.err(), Some(Busy));
    }

    #[cfg(feature = "http")]
    #[tokio::test(start_paused = true)]
    async fn one_that_holds_too_much_keeps_its_place() {
        let places = Places::new();
        let taken = all(&places).await;
        let waiter = taken.first().unwrap();
        let held = MAX_WAITING_KIB * 1024;
        assert_eq!(waiter.leave_during(held, async { enter(&places).await.err() }).await, Some(Busy));
    }
}
