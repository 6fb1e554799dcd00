//! When the query that runs on a connection has to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

/// The deadline and cancel flag of a connection's present query. The progress handler and the
/// functions of the connection hold clones, made once; each query sets it anew.
#[derive(Debug, Clone, Default)]
pub(super) struct QueryClock(Arc<Mutex<Watch>>);

#[derive(Debug, Default)]
struct Watch {
    deadline: Option<Instant>,
    cancel: Arc<AtomicBool>,
    gives_way: Arc<AtomicBool>,
}

impl QueryClock {
    /// Starts watching for a new query.
    pub(super) fn set(&self, deadline: Instant, cancel: Arc<AtomicBool>) {
        *self.0.lock() = Watch { deadline: Some(deadline), cancel, gives_way: Arc::default() };
    }

    /// Lets the query of this clock end when others have no memory.
    pub(super) fn give_way(&self, told: Arc<AtomicBool>) {
        self.0.lock().gives_way = told;
    }

    /// Stops watching: nothing limits the connection's time until the next [`QueryClock::set`].
    pub(super) fn clear(&self) {
        *self.0.lock() = Watch::default();
    }

    /// Whether the query has to stop now.
    pub(super) fn stopped(&self) -> bool {
        let watch = self.0.lock();
        watch.cancel.load(Ordering::Relaxed)
            || watch.gives_way.load(Ordering::Relaxed)
            || watch.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// Whether the query was told to give its memory back.
    pub(super) fn gave_way(&self) -> bool {
        self.0.lock().gives_way.load(Ordering::Relaxed)
    }

    /// Whether the caller gave up.
    pub(super) fn cancelled(&self) -> bool {
        self.0.lock().cancel.load(Ordering::Relaxed)
    }
}
