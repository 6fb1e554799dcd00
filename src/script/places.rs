//! How many invocations there may be, by what they can take.
//!
//! One that runs may grow to its memory limit at any moment, so there is a small number of places
//! to run, and those times the limit is what all of them can hold. Some more wait for a place,
//! before they have a VM; what is beyond both is refused at once. One that waits for the network
//! can't grow: it counts with what it holds and lends its place to others, which is how ten
//! thousand can wait while a hundred run. Counting everybody alike would either refuse at
//! a hundred that wait or let ten thousand run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
    running: Arc<Semaphore>,
    /// Invocations that run or wait for a place to.
    admitted: AtomicUsize,
    max_admitted: usize,
    #[cfg(feature = "http")]
    lent: Arc<Semaphore>,
    #[cfg(feature = "http")]
    lent_kib: Arc<Semaphore>,
}

/// The place of one invocation, given back when dropped.
#[derive(Debug)]
#[cfg_attr(not(feature = "http"), expect(dead_code, reason = "only who waits for the network lends it"))]
pub(crate) struct Place {
    held: Mutex<Option<Held>>,
    places: Arc<Places>,
}

/// What a place to run consists of.
#[derive(Debug)]
struct Held {
    _running: OwnedSemaphorePermit,
    _admitted: Admitted,
}

/// One more that runs or waits to, until dropped.
#[derive(Debug)]
struct Admitted(Arc<Places>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.admitted.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Places {
    pub(crate) fn new(max_running: usize, max_waiting: usize) -> Arc<Self> {
        let max_running = max_running.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            running: Arc::new(Semaphore::new(max_running)),
            admitted: AtomicUsize::new(0),
            max_admitted: max_running.saturating_add(max_waiting),
            #[cfg(feature = "http")]
            lent: Arc::new(Semaphore::new(MAX_LENT)),
            #[cfg(feature = "http")]
            lent_kib: Arc::new(Semaphore::new(MAX_LENT_KIB)),
        })
    }

    /// Waits for a place to run, behind those that came before.
    ///
    /// # Errors
    /// [`Busy`] at once when as many run and wait as may, or when the places are closed.
    pub(crate) async fn enter(self: &Arc<Self>) -> Result<Arc<Place>, Busy> {
        let one_more = |count: usize| (count < self.max_admitted).then(|| count + 1);
        self.admitted.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).map_err(|_| Busy)?;
        let held = self.run(Admitted(self.clone())).await?;
        Ok(Arc::new(Place { held: Mutex::new(Some(held)), places: self.clone() }))
    }

    async fn run(&self, admitted: Admitted) -> Result<Held, Busy> {
        let running = self.running.clone().acquire_owned().await.map_err(|_| Busy)?;
        Ok(Held { _running: running, _admitted: admitted })
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
        let kib = u32::try_from(kib).unwrap_or(u32::MAX);
        let room = self.places.lent.clone().try_acquire_owned();
        let room_for_bytes = self.places.lent_kib.clone().try_acquire_many_owned(kib);
        let (Ok(_room), Ok(_room_for_bytes)) = (room, room_for_bytes) else {
            return work.await;
        };
        drop(self.held.lock().take());
        let done = work.await;
        // It has been admitted before: who comes back is not refused.
        self.places.admitted.fetch_add(1, Ordering::AcqRel);
        let held = self.places.run(Admitted(self.places.clone())).await;
        // The places close only when the peer stops; what still runs then runs to its end.
        *self.held.lock() = held.ok();
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: usize = 8;
    const WAITING: usize = 2;

    async fn all(places: &Arc<Places>) -> Vec<Arc<Place>> {
        let mut taken = Vec::new();
        for _ in 0..RUNNING {
            taken.push(places.enter().await.unwrap());
        }
        taken
    }

    #[tokio::test]
    async fn some_wait_the_next_is_refused_and_one_that_leaves_makes_room() {
        let places = Places::new(RUNNING, WAITING);
        let mut taken = all(&places).await;
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(places.enter())).collect();
        for waiter in &mut waiting {
            assert!(futures_poll(waiter).is_none());
        }
        assert_eq!(places.enter().await.err(), Some(Busy));
        drop(taken.pop());
        assert!(futures_poll(waiting.first_mut().unwrap()).unwrap().is_ok());
        drop((taken, waiting));
        assert_eq!(places.admitted.load(Ordering::Acquire), 0);
    }

    /// One look at a future.
    fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }

    #[cfg(feature = "http")]
    #[tokio::test]
    async fn one_that_waits_lends_its_place_and_takes_one_again() {
        let places = Places::new(RUNNING, 0);
        let taken = all(&places).await;
        let waiter = taken.first().unwrap();
        assert!(waiter.leave_during(10_000, async { places.enter().await.is_ok() }).await);
        assert_eq!(places.enter().await.err(), Some(Busy));
    }

    #[cfg(feature = "http")]
    #[tokio::test]
    async fn one_that_holds_too_much_keeps_its_place() {
        let places = Places::new(RUNNING, 0);
        let taken = all(&places).await;
        let waiter = taken.first().unwrap();
        let held = MAX_LENT_KIB * 1024;
        assert_eq!(waiter.leave_during(held, async { places.enter().await.err() }).await, Some(Busy));
    }
}
