//! One row: a script, how it may end, and what must hold afterwards.

use std::time::Duration;

use goop2::vm::{Entry, Limits, Outcome};

use crate::stopped::{Ended, HOSTILE, check_rows, run};

/// How far over the limit the memory may be between two steps: old and new buffer of a doubling table or
/// stack exist together.
const MAX_OVERSHOOT_PERCENT: usize = 260;

/// The most fuel of one slice: some milliseconds of work, in the worst case one native over a long string.
const MAX_SLICE_FUEL: u64 = 2_000_000;

/// The time for scripts that are not stopped by it.
const PATIENCE: Duration = Duration::from_secs(15);

/// A script and how it may end.
pub(super) struct Hazard {
    pub(super) name: String,
    pub(super) source: Vec<u8>,
    /// Kinds of error with `|` between them; `reply` is an ordinary end.
    pub(super) ends: String,
    pub(super) entry: Entry,
}

fn check(hazard: &Hazard) -> Result<(), String> {
    // What must come to its end gets time for that, on a busy machine too.
    let may_be_stopped = hazard.ends.contains("timeout");
    let limits = if may_be_stopped { HOSTILE } else { Limits { time: PATIENCE, ..HOSTILE } };
    let ended = run(&hazard.source, hazard.entry.clone(), limits);
    let kind = ended.kind();
    if !hazard.ends.split('|').any(|end| end == kind) {
        return Err(format!("must end in {}, ended in {kind}: {:?}", hazard.ends, ended.result));
    }
    let most = HOSTILE.memory_bytes / 100 * MAX_OVERSHOOT_PERCENT;
    if ended.stats.peak_memory_bytes > most {
        return Err(format!("held {} bytes; {most} are allowed", ended.stats.peak_memory_bytes));
    }
    if ended.longest_slice > MAX_SLICE_FUEL {
        return Err(format!("one slice used {} fuel; {MAX_SLICE_FUEL} is allowed", ended.longest_slice));
    }
    the_next_script_runs()
}

fn the_next_script_runs() -> Result<(), String> {
    let source = b"function handle(args) return 'hello ' .. args end";
    let Ended { result, .. } = run(source, Entry::Handle("you".to_owned()), HOSTILE);
    match result {
        Ok(Outcome::Reply(Some(reply))) if reply == b"hello you" => Ok(()),
        other => Err(format!("afterwards an ordinary script gave {other:?}")),
    }
}

pub(super) fn check_all(rows: Vec<Hazard>) {
    check_rows(rows, |hazard| hazard.name.clone(), check);
}

pub(super) fn chunk(name: &str, ends: &str, source: impl Into<Vec<u8>>) -> Hazard {
    Hazard { name: name.to_owned(), source: source.into(), ends: ends.to_owned(), entry: Entry::Chunk }
}

pub(super) fn chunks(rows: &[(&str, &str, &str)]) -> Vec<Hazard> {
    rows.iter().map(|(name, ends, source)| chunk(name, ends, *source)).collect()
}
