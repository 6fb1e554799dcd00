//! Runs one script and measures it: its heap, its slices, its time.
//!
//! The tests of hostile scripts and the bench of limits share it. Heap is what the allocator gave out, not
//! what the interpreter says that it holds: the limit is a promise about the machine's memory, and a
//! counter that has a mistake would be right about itself. Counting allocators need `unsafe`, which is
//! forbidden here, and so a crate does it. That one counts a buffer that grows as old and new at once,
//! whether or not the system's allocator could grow it in place: what is measured is an upper bound.

use std::time::{Duration, Instant};

use goop2::vm::{Entry, Limits, LoadError, Machine, Outcome, Program, RunError, Slice};
use peak_alloc::PeakAlloc;
use serde::{Deserialize, Serialize};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What one script did and used.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// One word for how it ended: `reply` for an ordinary end, otherwise the kind of error.
    pub(crate) kind: String,
    /// The result or error, for messages.
    pub(crate) result: String,
    /// The most heap while it was checked and compiled, over what the process held before.
    pub(crate) compile_heap_bytes: usize,
    /// The most heap while it ran, over what the process held before.
    pub(crate) run_heap_bytes: usize,
    /// The most memory that the machine says it held.
    pub(crate) counted_bytes: usize,
    /// Heap that is still held when all is dropped.
    pub(crate) left_heap_bytes: usize,
    /// The most fuel that one slice used.
    pub(crate) longest_slice_fuel: u64,
    /// The longest slice. A slice is steps for a fifth of a millisecond, so that no step was longer.
    pub(crate) longest_slice: Duration,
    pub(crate) compile: Duration,
    /// From a finished program to a dropped machine.
    pub(crate) run: Duration,
}

/// Compiles and runs `source` to its end on this thread.
pub(crate) fn measure(source: &[u8], entry: Entry, limits: Limits) -> Measured {
    let mut measured = Measured::default();
    let held = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let start = Instant::now();
    let program = Program::compile("measured.lua", source);
    measured.compile = start.elapsed();
    measured.compile_heap_bytes = HEAP.peak_usage().saturating_sub(held);
    match program {
        Ok(program) => run(&program, entry, limits, &mut measured),
        Err(error) => {
            measured.kind = load_error_kind(&error).to_owned();
            measured.result = error.to_string();
        }
    }
    measured.left_heap_bytes = HEAP.current_usage().saturating_sub(held + measured.result.capacity());
    measured
}

/// One word for why a script was not loaded.
pub(crate) fn load_error_kind(error: &LoadError) -> &'static str {
    match error {
        LoadError::Syntax { .. } => "syntax",
        LoadError::Internal { .. } => "internal",
        _ => "refused",
    }
}

fn run(program: &Program, entry: Entry, limits: Limits, measured: &mut Measured) {
    measure_run(measured, |measured| {
        let mut machine = Machine::new(program, entry, limits, |_| {})?;
        loop {
            let before = machine.stats().fuel;
            let slice_start = Instant::now();
            let slice = machine.run_slice();
            measured.longest_slice = measured.longest_slice.max(slice_start.elapsed());
            measured.longest_slice_fuel = measured.longest_slice_fuel.max(machine.stats().fuel - before);
            measured.counted_bytes = machine.stats().peak_memory_bytes;
            match slice {
                Slice::Paused => {}
                Slice::Waiting(_) => unreachable!("nothing here waits"),
                Slice::Finished(result) => return result,
            }
        }
    });
}

/// Measures a run, however it is done.
pub(crate) fn measure_run(
    measured: &mut Measured,
    run: impl FnOnce(&mut Measured) -> Result<Outcome, RunError>,
) {
    let held = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let start = Instant::now();
    let result = run(measured);
    measured.run = start.elapsed();
    measured.run_heap_bytes = HEAP.peak_usage().saturating_sub(held);
    (measured.kind, measured.result) = match result {
        Ok(outcome) => ("reply".to_owned(), text(&outcome)),
        Err(error) => (error.kind().to_owned(), format!("{:.400}", error.to_string())),
    };
}

/// The beginning of a result: what is made of it here counts as the process's memory.
fn text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done | Outcome::Reply(None) => String::new(),
        Outcome::Reply(Some(bytes)) => {
            String::from_utf8_lossy(bytes.get(..200).unwrap_or(bytes)).into_owned()
        }
        Outcome::Result(json) => json.to_string(),
    }
}
