//! What SQLite's memory is bounded by, and who gives way when it runs out.
//!
//! A single statement can ask for all there is: a sort, a `MATERIALIZED` table, a recursive query.
//! SQLite has a bound for the process and none for a connection or a statement, and tells nobody
//! what one of them holds. So the process has a bound, and whoever meets it ends the query that has
//! run for longest of those before it, and tries again: small statements are over within
//! milliseconds, and one that holds much has taken its time to get it. Who was ended, perhaps without
//! fault, waits until the other is done and begins again, up to its deadline. The oldest of all fails.
//!
//! A statement's age in milliseconds was rejected as the measure of who is to blame: on a busy
//! machine the smallest takes a second. So was a bound on how many end for one: it failed the next
//! small statement once more held memory than the bound allowed for.
//!
//! Rejected: files for sorts and tables between (`temp_store`). Nothing bounds them, so that a query
//! could fill the disk within its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, InterruptHandle};

/// How much memory all SQLite connections of the process may hold together, in bytes. A sort of
/// small rows takes twice of it from the system: SQLite counts what it asked for, and each row is a
/// piece of its own. It also bounds how many rows one sort has, which looks at no clock: two million
/// are sorted in about a second.
const MAX_HEAP_BYTES: i64 = 48 * 1024 * 1024;

/// A statement that has run for so long may have held much.
const HOLDS_MUCH: Duration = Duration::from_millis(200);

/// How long the host waits for queries to end. Each is interrupted at once, but a sort must be over
/// first, which looks at nothing.
const END_TIMEOUT: Duration = Duration::from_secs(5);

static RUNNING: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static ENDED: Condvar = Condvar::new();
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

struct Entry {
    /// Grows with every query that begins.
    id: u64,
    told: Arc<AtomicBool>,
    /// Whose memory it is then; the host's statements have no id.
    told_by: Option<u64>,
    /// Of the connection that runs the statement now.
    interrupt: Option<InterruptHandle>,
}

/// A query under way, which may be told to give its memory back.
pub(super) struct Running {
    id: u64,
    attempt_begun: Instant,
    told: Arc<AtomicBool>,
}

/// Sets the process's bound; any connection can.
pub(super) fn limit_process_heap(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "hard_heap_limit", MAX_HEAP_BYTES)
}

impl Running {
    pub(super) fn begin() -> Self {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let told = enter(&mut RUNNING.lock(), id);
        Self { id, attempt_begun: Instant::now(), told }
    }

    /// Begins the statement, or begins it again.
    pub(super) fn begin_attempt(&mut self) {
        self.attempt_begun = Instant::now();
    }

    /// The statement runs on `connection` from now on.
    pub(super) fn runs_on(&self, connection: &Connection) {
        if let Some(entry) = RUNNING.lock().iter_mut().find(|entry| entry.id == self.id) {
            entry.interrupt = Some(connection.get_interrupt_handle());
        }
    }

    /// Whether the statement has run for long enough to have taken much memory.
    pub(super) fn may_have_held_much(&self) -> bool {
        self.attempt_begun.elapsed() > HOLDS_MUCH
    }

    /// Set when the query has to give way.
    pub(super) fn told(&self) -> &Arc<AtomicBool> {
        &self.told
    }

    /// Makes room for this query, which got no memory or had to give it back, up to its `deadline`.
    /// False when it is itself to blame: then it has failed.
    pub(super) fn may_try_again(&mut self, deadline: Instant) -> bool {
        if self.told.load(Ordering::Relaxed) {
            self.wait_for_teller(deadline);
            return true;
        }
        // Never one that began later: two would end each other in turns, and this one might never have to stop.
        end_longest(deadline, Some(self.id), |entry| entry.id < self.id)
    }

    /// Waits until the one that this query was ended for is done. It keeps its place: as the newest it
    /// could hold memory again that those that came meanwhile would look for in vain.
    fn wait_for_teller(&mut self, deadline: Instant) {
        let mut running = RUNNING.lock();
        let told_by = leave(&mut running, self.id).and_then(|entry| entry.told_by);
        while told_by.is_some() && running.iter().any(|entry| Some(entry.id) == told_by) {
            if ENDED.wait_until(&mut running, deadline).timed_out() {
                break;
            }
        }
        self.told = enter(&mut running, self.id);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        leave(&mut RUNNING.lock(), self.id);
    }
}

fn enter(running: &mut Vec<Entry>, id: u64) -> Arc<AtomicBool> {
    let told = Arc::default();
    running.push(Entry { id, told: Arc::clone(&told), told_by: None, interrupt: None });
    told
}

fn leave(running: &mut Vec<Entry>, id: u64) -> Option<Entry> {
    let position = running.iter().position(|entry| entry.id == id)?;
    ENDED.notify_all();
    Some(running.swap_remove(position))
}

/// Runs a short statement of the host, again each time that it found no memory and a query ended for
/// it, for at most [`END_TIMEOUT`].
pub(super) fn with_room<T, E>(
    no_memory: impl Fn(&E) -> bool,
    mut run: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let until = Instant::now() + END_TIMEOUT;
    loop {
        match run() {
            Err(error) if no_memory(&error) && end_longest(until, None, |_| true) => {}
            result => return result,
        }
    }
}

/// Whether SQLite had no memory.
pub(super) fn is_out_of_memory(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OutOfMemory)
}

/// Tells the query that began first, of those that `may_end`, to end for the query `teller`, and waits
/// until it has.
fn end_longest(until: Instant, teller: Option<u64>, may_end: impl Fn(&Entry) -> bool) -> bool {
    let mut running = RUNNING.lock();
    let Some(first) = running.iter_mut().filter(|entry| may_end(entry)).min_by_key(|entry| entry.id) else {
        return false;
    };
    let id = first.id;
    // One that is on its way out for another is waited for all the same.
    if !first.told.swap(true, Ordering::Relaxed) {
        first.told_by = teller;
    }
    // Between two instructions that each make a megabyte, the flag alone would be seen too late.
    if let Some(interrupt) = &first.interrupt {
        interrupt.interrupt();
    }
    while running.iter().any(|entry| entry.id == id) {
        if ENDED.wait_until(&mut running, until).timed_out() {
            return false;
        }
    }
    true
}
