//! One row: a script, how it may end, and what must hold afterwards.

use std::time::Duration;

use goop2::vm::{Entry, Limits};

use crate::child::{Process, Report, run_in_child};
use crate::stopped::{HOSTILE, check_rows};

/// The time for scripts that are not stopped by it.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long after its deadline a script may go on. The promise is 50 ms and kept by the released program, see
/// `benches/limits.rs`; the rest is for a slow build on a busy machine.
const LATE: Duration = Duration::from_secs(1);

/// The most fuel of one slice: some milliseconds of work, in the worst case one native over a long string.
const MAX_SLICE_FUEL: u64 = 2_000_000;

/// The most heap that checking and compiling 64 KB of source may take.
const COMPILE_HEAP_BYTES: usize = 10 * 1024 * 1024;

/// Heap that may be held when everything is dropped: what a library keeps for its next use.
const LEFT_HEAP_BYTES: usize = 256 * 1024;

/// What the process may have in memory over the heap that the script may use: what the allocator keeps of
/// freed memory, stacks, and the code that runs for the first time.
const RESIDENT_BYTES: u64 = 12 * 1024 * 1024;

/// A script and how it may end.
pub(super) struct Hazard {
    pub(super) name: String,
    pub(super) source: Vec<u8>,
    /// Kinds of error with `|` between them; `reply` is an ordinary end.
    pub(super) ends: String,
    pub(super) entry: Entry,
    pub(super) heap: Heap,
}

/// What the heap may come to, as a part of the memory limit.
#[derive(Debug, Clone, Copy)]
pub(super) enum Heap {
    /// Natives ask before they allocate: the limit, and a tenth for what is not counted.
    Asked,
    /// The VM's own tables and stacks double: for a moment, the old and the new buffer.
    Doubling,
}

impl Heap {
    fn most_bytes(self) -> usize {
        let percent = match self {
            Self::Asked => 110,
            Self::Doubling => 260,
        };
        HOSTILE.memory_bytes / 100 * percent
    }
}

fn check(hazard: &Hazard) -> Result<(), String> {
    // What must come to its end gets time for that, on a busy machine too.
    let may_be_stopped = hazard.ends.contains("timeout");
    let limits = if may_be_stopped { HOSTILE } else { Limits { time: PATIENCE, ..HOSTILE } };
    let Report { measured, process, afterwards } = run_in_child(&hazard.source, &hazard.entry, limits)?;
    let most = hazard.heap.most_bytes();
    if !hazard.ends.split('|').any(|end| end == measured.kind) {
        return Err(format!("must end in {}, ended in {}: {}", hazard.ends, measured.kind, measured.result));
    }
    if measured.run_heap_bytes > most {
        return Err(format!("used {} bytes of heap; {most} are allowed", measured.run_heap_bytes));
    }
    if measured.compile_heap_bytes > COMPILE_HEAP_BYTES {
        let found = measured.compile_heap_bytes;
        return Err(format!("took {found} bytes of heap to compile; {COMPILE_HEAP_BYTES} are allowed"));
    }
    if measured.left_heap_bytes > LEFT_HEAP_BYTES {
        return Err(format!("left {} bytes of heap behind", measured.left_heap_bytes));
    }
    if measured.longest_slice_fuel > MAX_SLICE_FUEL {
        let found = measured.longest_slice_fuel;
        return Err(format!("one slice used {found} fuel; {MAX_SLICE_FUEL} is allowed"));
    }
    if measured.run > limits.time + LATE {
        return Err(format!("ran for {:?} with {:?} to run", measured.run, limits.time));
    }
    if afterwards != "hello you" {
        return Err(format!("afterwards an ordinary script gave {afterwards}"));
    }
    let heap = most.max(COMPILE_HEAP_BYTES);
    process.map_or(Ok(()), |(before, after)| check_process(before, after, heap))
}

/// Elsewhere than on Linux the system does not tell, and nothing is checked.
fn check_process(before: Process, after: Process, heap_bytes: usize) -> Result<(), String> {
    if after.threads != before.threads {
        return Err(format!("left {} threads of {}", after.threads, before.threads));
    }
    let grown = after.peak_resident_bytes.saturating_sub(before.peak_resident_bytes);
    let most = heap_bytes as u64 + RESIDENT_BYTES;
    if grown > most {
        return Err(format!("the process grew by {grown} bytes; {most} are allowed"));
    }
    Ok(())
}

pub(super) fn check_all(rows: Vec<Hazard>) {
    check_rows(rows, |hazard| hazard.name.clone(), check);
}

/// Checks scripts whose memory is in strings and lists that natives make.
pub(super) fn check_all_asked(mut rows: Vec<Hazard>) {
    rows.iter_mut().for_each(|row| row.heap = Heap::Asked);
    check_all(rows);
}

pub(super) fn chunk(name: &str, ends: &str, source: impl Into<Vec<u8>>) -> Hazard {
    Hazard {
        name: name.to_owned(),
        source: source.into(),
        ends: ends.to_owned(),
        entry: Entry::Chunk,
        heap: Heap::Doubling,
    }
}

pub(super) fn chunks(rows: &[(&str, &str, &str)]) -> Vec<Hazard> {
    rows.iter().map(|(name, ends, source)| chunk(name, ends, *source)).collect()
}
