//! What one invocation may still use, asked before it is used.
//!
//! The VM's own instructions are checked between steps; natives, which can do any amount of work
//! in one instruction, ask here first. A "no" is final: the verdict is written down, the VM is
//! not stepped again, and so no `pcall` can catch it.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use ottavino_gc_arena::metrics::Metrics;
use piccolo::{String as LuaString, Value};

use crate::vm::error::{Position, RunError};
use crate::vm::limits::{Limits, MAX_NUMERAL_STRING_BYTES};
use crate::vm::native::PendingAnswer;

/// The length from which on a string makes a VM a heavy one. An instruction that reads a string as
/// a number takes up to 2 ns a byte, and a step of a VM that is not heavy has some 500.
const LONG_STRING_BYTES: usize = 32 * 1024;

/// The memory from which on a VM is a heavy one: an instruction may make a table of as many values
/// as a call takes, and so many of them must not get far over the memory limit.
const HEAVY_FROM_BYTES: usize = 1024 * 1024;

/// The budget of one invocation. Natives share it with the machine that steps them.
pub(crate) struct Budget {
    limits: Limits,
    started: Instant,
    verdict: RefCell<Option<RunError>>,
    collection_wanted: Cell<bool>,
    pending: RefCell<Option<PendingAnswer>>,
    peak_bytes: Cell<usize>,
    /// Whether a long string has been asked for.
    long_strings: Cell<bool>,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            started: Instant::now(),
            verdict: RefCell::new(None),
            collection_wanted: Cell::new(false),
            pending: RefCell::new(None),
            peak_bytes: Cell::new(0),
            long_strings: Cell::new(false),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// When the invocation began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// When the invocation must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        self.started.checked_add(self.limits.time).unwrap_or(self.started)
    }

    /// Whether `wanted` more bytes fit beside what the VM holds now, garbage included.
    pub(crate) fn fits(&self, metrics: &Metrics, wanted: usize) -> bool {
        self.note_string(wanted);
        metrics.total_allocation().saturating_add(wanted) <= self.limits.memory_bytes
    }

    /// Notes that the VM gets a string, or whatever it is, of `bytes` bytes.
    pub(crate) fn note_string(&self, bytes: usize) {
        if bytes >= LONG_STRING_BYTES {
            self.long_strings.set(true);
        }
    }

    /// Whether single instructions of a VM that holds `held` bytes may take long, so that there
    /// must be few of them between two looks at the limits.
    pub(crate) fn is_heavy(&self, held: usize) -> bool {
        self.long_strings.get() || held >= HEAVY_FROM_BYTES
    }

    /// Ends the invocation for want of memory.
    pub(crate) fn refuse_memory(&self, held: usize, wanted: usize) {
        let wanted = held.saturating_add(wanted);
        self.end(RunError::Memory { wanted, limit: self.limits.memory_bytes });
    }

    /// Ends the invocation if its time is over.
    pub(crate) fn check_deadline(&self, now: Instant) {
        if now >= self.deadline() {
            self.end(RunError::Timeout { limit: self.limits.time });
        }
    }

    /// Ends the invocation if a new string is a number too long to be read again and again.
    ///
    /// The question costs one such reading. Bounding the reading instead would take a native in the
    /// place of every arithmetic operator.
    pub(crate) fn check_numeral(&self, text: LuaString<'_>, at: impl FnOnce() -> Option<Position>) {
        let found = text.as_bytes().len();
        if found > MAX_NUMERAL_STRING_BYTES && Value::String(text).to_number().is_some() {
            let (what, limit, unit) = ("string that spells a number", MAX_NUMERAL_STRING_BYTES, "bytes");
            self.end(RunError::Value { what, found, limit, unit, at: at() });
        }
    }

    /// Writes the verdict down; the first one stands.
    pub(crate) fn end(&self, error: RunError) {
        self.verdict.borrow_mut().get_or_insert(error);
    }

    pub(crate) fn verdict(&self) -> Option<RunError> {
        self.verdict.borrow().clone()
    }

    /// Asks the machine to collect garbage before the next step.
    pub(crate) fn want_collection(&self) {
        self.collection_wanted.set(true);
    }

    pub(crate) fn take_collection_wanted(&self) -> bool {
        self.collection_wanted.take()
    }

    /// Leaves a request that the machine's owner is to wait for.
    pub(crate) fn set_pending(&self, pending: PendingAnswer) {
        *self.pending.borrow_mut() = Some(pending);
    }

    pub(crate) fn take_pending(&self) -> Option<PendingAnswer> {
        self.pending.borrow_mut().take()
    }

    pub(crate) fn note_memory(&self, bytes: usize) {
        if bytes > self.peak_bytes.get() {
            self.peak_bytes.set(bytes);
        }
    }

    pub(crate) fn peak_bytes(&self) -> usize {
        self.peak_bytes.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vm_is_heavy_from_the_first_long_string_on_or_when_it_holds_much() {
        let budget = Budget::new(Limits::default());
        budget.note_string(LONG_STRING_BYTES - 1);
        assert!(!budget.is_heavy(HEAVY_FROM_BYTES - 1));
        assert!(budget.is_heavy(HEAVY_FROM_BYTES));
        let lua = piccolo::Lua::empty();
        assert!(budget.fits(lua.gc_metrics(), LONG_STRING_BYTES));
        assert!(budget.is_heavy(0), "a long string was asked for");
        budget.note_string(1);
        assert!(budget.is_heavy(0), "it may still be there");
    }
}
