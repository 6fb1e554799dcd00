//! Runs a program under small limits, and checks that it ended as any program must.
//!
//! Whatever the program is: it ends in a result or a typed error that is not our bug, no slice of it
//! holds up its thread, and neither the memory that the VM counts nor what the process really holds
//! goes far beyond the limit.

use std::path::Path;
use std::time::Duration;

use goop2::peer_id::PeerId;
use goop2::script::{Caller, Runner, RunnerError, Surroundings as Around};
pub use goop2::vm::Entry;
use goop2::vm::{Limits, LoadError, Machine, Outcome, Program, RunError, Slice, Stats};
use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};

/// Counts what the process holds; the fuzz targets are the only programs that have it.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The time of one invocation. Programs that never end cost this much.
const TIME: Duration = Duration::from_millis(20);

/// The most processor time of one slice. A slice is meant to take 0.2 ms, and a step at most 50 ms in a
/// release build; the rest is for the instrumentation and the debug checks of a fuzz build.
const MAX_SLICE: Duration = Duration::from_millis(600);

/// How far over the limit the counted memory may be between two steps: old and new buffer of a doubling
/// table or stack exist together.
const MAX_COUNTED_PERCENT: usize = 260;

/// What a VM holds beside what the script allocates, in bytes.
const COUNTED_BESIDE: usize = 64 * 1024;

/// What the process may really hold more than before, beside the multiple of the limit: the VM itself,
/// stacks.
const HELD_BESIDE: usize = 8 * 1024 * 1024;

/// The tree of a JSON document on its way out is not counted. 50,000 objects of one field, the most that
/// `MAX_JSON_VALUES` allows, take 35 MB while it lasts.
const JSON_TREE: usize = 40 * 1024 * 1024;

/// The `goop` table, or the standard library alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surroundings {
    /// The standard library.
    Bare,
    /// The standard library and `goop`.
    Goop,
}

/// The limits of generated programs.
pub fn limits(memory_bytes: usize) -> Limits {
    Limits { time: TIME, memory_bytes }
}

/// Processor time of this thread. The clock on the wall would also count what others do.
pub fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// Processor time of the whole process, for work that has a thread of its own.
pub fn process_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// Compiles and runs `source`; nothing when it is refused.
///
/// # Panics
/// When something that must hold does not.
pub fn run(
    source: &[u8],
    entry: Entry,
    surroundings: Surroundings,
    limits: Limits,
) -> Option<Result<Outcome, RunError>> {
    let program = crate::loading::load(source)?;
    let makes_json = surroundings == Surroundings::Goop || matches!(entry, Entry::Call(_));
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let (result, stats) = match surroundings {
        Surroundings::Bare => run_bare(&program, entry, limits),
        Surroundings::Goop => run_with_goop(source, entry, limits),
    };
    let held = HEAP.peak_usage().saturating_sub(before);
    check_end(&result);
    let most = limits.memory_bytes / 100 * MAX_COUNTED_PERCENT;
    let counted = stats.peak_memory_bytes;
    assert!(
        counted <= most + COUNTED_BESIDE,
        "the VM held {counted} bytes; the limit is {}",
        limits.memory_bytes
    );
    assert!(
        held <= most + HELD_BESIDE + if makes_json { JSON_TREE } else { 0 },
        "the process held {held} bytes; the limit is {}",
        limits.memory_bytes
    );
    Some(result)
}

fn check_end(result: &Result<Outcome, RunError>) {
    if let Err(error) = result {
        assert!(error.kind() != "internal", "an internal error: {error}");
        let text = error.to_string();
        assert!(text.len() < 16 * 1024, "an error of {} bytes", text.len());
    }
}

fn run_bare(program: &Program, entry: Entry, limits: Limits) -> (Result<Outcome, RunError>, Stats) {
    let mut machine = Machine::new(program, entry, limits, |_| {}).expect("a VM can be built");
    let mut before = thread_time();
    let started = before;
    let result = loop {
        let slice = machine.run_slice();
        let now = thread_time();
        let took = now.saturating_sub(before);
        assert!(took < MAX_SLICE, "one slice took {took:?}");
        before = now;
        match slice {
            Slice::Paused => {}
            Slice::Waiting(_) => panic!("a program without surroundings waits"),
            Slice::Finished(result) => break result,
        }
    };
    let took = before.saturating_sub(started);
    assert!(took < limits.time + MAX_SLICE, "the program took {took:?}");
    let stats = machine.stats();
    drop(machine);
    let freeing = thread_time().saturating_sub(before);
    assert!(freeing < MAX_SLICE, "freeing the VM took {freeing:?}");
    (result, stats)
}

/// With the API, through the same code as `goop2 run`; there a slice can't be seen, the whole can.
fn run_with_goop(source: &[u8], entry: Entry, limits: Limits) -> (Result<Outcome, RunError>, Stats) {
    let runner = runner(source, limits).expect("what was compiled before compiles again");
    let before = thread_time();
    let (result, stats) = runner.run(entry);
    let took = thread_time().saturating_sub(before);
    assert!(took < limits.time + MAX_SLICE, "the program took {took:?}");
    (result, stats)
}

/// A script with the `goop` table.
///
/// # Errors
/// When it does not load.
pub fn runner(source: &[u8], limits: Limits) -> Result<Runner, LoadError> {
    let caller = |name: &str| Caller { peer: PeerId::parse(name).expect("a name"), label: "Ana".to_owned() };
    let around = Around {
        kv_enabled: true,
        // With the node come its features.
        #[cfg(feature = "peer")]
        http: None,
        caller: caller("ana"),
        own: caller("host"),
        peer_dir: None,
        script_dir: None,
        commands: vec!["help".to_owned(), "fuzz".to_owned()],
        limits,
    };
    Runner::load(Path::new("fuzz.lua"), source, around).map_err(|error| match error {
        RunnerError::Load(error) => error,
        other => panic!("no place to run: {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(source: &str) -> Result<Outcome, RunError> {
        run(source.as_bytes(), Entry::Chunk, Surroundings::Bare, limits(300_000)).expect("it loads")
    }

    #[test]
    fn ends_are_told_apart() {
        assert_eq!(ends("local x = 1"), Ok(Outcome::Done));
        assert_eq!(ends("error('no')").unwrap_err().kind(), "runtime");
        assert_eq!(ends("while true do end").unwrap_err().kind(), "timeout");
        assert_eq!(ends("local t = {} while true do t[#t + 1] = {} end").unwrap_err().kind(), "memory");
    }

    #[test]
    #[should_panic(expected = "an internal error")]
    fn our_own_bugs_are_not_accepted() {
        check_end(&Err(RunError::Internal { detail: "made up".to_owned() }));
    }

    #[test]
    fn the_heap_is_counted() {
        let before = HEAP.current_usage();
        let held = vec![1u8; 1_000_000];
        assert!(HEAP.current_usage() >= before + held.len());
    }
}
