//! What SQLite's memory is bounded by, and who gives way when it runs out.
//!
//! A single statement can ask for all there is: a sort, a `MATERIALIZED` table, a recursive query.
//! SQLite has a bound for the process and none for a connection or a statement, and tells nobody
//! what one of them holds. So the process has a bound, and the query that has run for longest ends
//! when somebody meets it who has only begun: small statements are over within milliseconds, and one
//! that holds much has taken its time to get it. The newcomer then tries again and notices nothing.
//! A query without fault may end so, but only while it is the oldest when memory runs out.
//!
//! Rejected: files for sorts and tables between (`temp_store`). Nothing bounds them, so that a query
//! could fill the disk within its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

/// How much memory all SQLite connections of the process may hold together, in bytes. A sort of
/// small rows takes twice of it from the system: SQLite counts what it asked for, and each row is a
/// piece of its own. It also bounds how many rows one sort has, which looks at no clock: two million
/// are sorted in about a second.
const MAX_HEAP_BYTES: i64 = 48 * 1024 * 1024;

/// A statement that has run for so long when memory runs out is the one that took it.
const YOUNG: Duration = Duration::from_secs(1);

/// A statement that has run for so long may have held much.
const HOLDS_MUCH: Duration = Duration::from_millis(200);

/// How many others end for one statement before it is thought to be the one that asks for too much.
const MAX_ENDED: usize = 3;

/// How long to wait for another to end. It looks at its clock between a few hundred instructions,
/// and a sort must be over first.
const END_TIMEOUT: Duration = Duration::from_secs(2);

static RUNNING: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static ENDED: Condvar = Condvar::new();
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

struct Entry {
    /// Grows with every query that begins.
    id: u64,
    told: Arc<AtomicBool>,
}

/// A query under way, which may be told to give its memory back.
pub(super) struct Running {
    id: u64,
    attempt_begun: Instant,
    told: Arc<AtomicBool>,
    ended_others: usize,
}

/// Sets the process's bound; any connection can.
pub(super) fn limit_process_heap(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "hard_heap_limit", MAX_HEAP_BYTES)
}

impl Running {
    pub(super) fn begin() -> Self {
        let (id, told) = (NEXT_ID.fetch_add(1, Ordering::Relaxed), Arc::default());
        RUNNING.lock().push(Entry { id, told: Arc::clone(&told) });
        Self { id, attempt_begun: Instant::now(), told, ended_others: 0 }
    }

    /// Begins the statement, or begins it again.
    pub(super) fn begin_attempt(&mut self) {
        self.attempt_begun = Instant::now();
    }

    /// Whether the statement has run for long enough to have taken much memory.
    pub(super) fn may_have_held_much(&self) -> bool {
        self.attempt_begun.elapsed() > HOLDS_MUCH
    }

    /// Set when the query has to give way.
    pub(super) fn told(&self) -> &Arc<AtomicBool> {
        &self.told
    }

    /// Ends the longest of the others, for a query that got no memory. False when this one is to
    /// blame itself: then it has failed.
    pub(super) fn may_try_again(&mut self) -> bool {
        if self.told.load(Ordering::Relaxed) || self.attempt_begun.elapsed() > YOUNG {
            return false;
        }
        self.ended_others += 1;
        self.ended_others <= MAX_ENDED && end_longest(Some(self.id))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.lock().retain(|entry| entry.id != self.id);
        ENDED.notify_all();
    }
}

/// Runs a short statement of the host, a second time when the first found no memory and a query
/// could be ended for it.
pub(super) fn with_room<T, E>(
    no_memory: impl Fn(&E) -> bool,
    mut run: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    match run() {
        Err(error) if no_memory(&error) && end_longest(None) => run(),
        result => result,
    }
}

/// Whether SQLite had no memory.
pub(super) fn is_out_of_memory(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OutOfMemory)
}

/// Tells the query that began first, of those before `own`, to end, and waits until it has. Not on behalf of
/// one that was told so itself: two would wait for each other.
fn end_longest(own: Option<u64>) -> bool {
    let until = Instant::now() + END_TIMEOUT;
    let mut running = RUNNING.lock();
    if running.iter().any(|entry| Some(entry.id) == own && entry.told.load(Ordering::Relaxed)) {
        return false;
    }
    // Never for one that began earlier: it is the longest itself, whenever it began its statement again.
    let others = running.iter().filter(|entry| own.is_none_or(|own| entry.id < own));
    let Some(first) = others.min_by_key(|entry| entry.id) else { return false };
    let id = first.id;
    // Whoever is on the way out already is waited for all the same.
    first.told.store(true, Ordering::Relaxed);
    while running.iter().any(|entry| entry.id == id) {
        if ENDED.wait_until(&mut running, until).timed_out() {
            return false;
        }
    }
    true
}
