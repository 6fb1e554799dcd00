//! Runs scripts that must be stopped, on threads of their own, so that one that hangs fails its test and does
//! not hang the others.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::measure::load_error_kind;
use goop2::vm::{Entry, Limits, LoadError, Machine, Outcome, Program, RunError, Slice, Stats};

/// What hostile scripts may use: the real memory limit, and a time that keeps the tests short.
pub(crate) const HOSTILE: Limits =
    Limits { time: Duration::from_millis(200), memory_bytes: 10 * 1024 * 1024 };

/// When a script counts as hanging. Far over any deadline here, because the machine that runs the tests may
/// be busy with other things.
const HANGS_AFTER: Duration = Duration::from_secs(120);

/// What a script did.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) result: Result<Outcome, Failure>,
    pub(crate) printed: Vec<String>,
    pub(crate) stats: Stats,
}

/// Why a script gave no result.
#[derive(Debug)]
pub(crate) enum Failure {
    Load(LoadError),
    Run(RunError),
}

impl Ended {
    /// One word for how it ended: `reply` for an ordinary end, otherwise the kind of error.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.result {
            Ok(_) => "reply",
            Err(Failure::Run(error)) => error.kind(),
            Err(Failure::Load(error)) => load_error_kind(error),
        }
    }
}

/// Compiles and runs `source` to its end on this thread.
pub(crate) fn run(source: &[u8], entry: Entry, limits: Limits) -> Ended {
    let mut ended = Ended { result: Ok(Outcome::Done), printed: Vec::new(), stats: Stats::default() };
    let program = match Program::compile("hostile.lua", source) {
        Ok(program) => program,
        Err(error) => return Ended { result: Err(Failure::Load(error)), ..ended },
    };
    let printed = Rc::new(RefCell::new(Vec::new()));
    let sink = printed.clone();
    let print = move |line: &[u8]| sink.borrow_mut().push(String::from_utf8_lossy(line).into_owned());
    let mut machine = match Machine::new(&program, entry, limits, print) {
        Ok(machine) => machine,
        Err(error) => return Ended { result: Err(Failure::Run(error)), ..ended },
    };
    loop {
        match machine.run_slice() {
            Slice::Paused => {}
            Slice::Waiting(_) => unreachable!("nothing here waits"),
            Slice::Finished(result) => {
                ended.result = result.map_err(Failure::Run);
                ended.stats = machine.stats();
                drop(machine);
                ended.printed = printed.take();
                return ended;
            }
        }
    }
}

/// Runs `check` for every row, two at a time and each on a thread of its own, and collects what it complains
/// about; a row that panics or does not come back is complained about too.
pub(crate) fn check_rows<R: Send + Sync + 'static>(
    rows: Vec<R>,
    name: fn(&R) -> String,
    check: fn(&R) -> Result<(), String>,
) {
    const WORKERS: usize = 2;
    let rows = Arc::new(rows);
    let next = Arc::new(AtomicUsize::new(0));
    let (send, complaints) = mpsc::channel();
    for _ in 0..WORKERS {
        let (rows, next, send) = (rows.clone(), next.clone(), send.clone());
        std::thread::spawn(move || {
            while let Some(row) =
                next.fetch_add(1, Ordering::SeqCst).checked_add(0).filter(|i| *i < rows.len())
            {
                let complaint = check_alone(rows.clone(), row, check);
                let _ = send.send(complaint.map(|text| format!("{}: {text}", name(&rows[row]))));
            }
        });
    }
    drop(send);
    let complaints: Vec<String> = complaints.iter().flatten().collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn check_alone<R: Send + Sync + 'static>(
    rows: Arc<Vec<R>>,
    row: usize,
    check: fn(&R) -> Result<(), String>,
) -> Option<String> {
    let (send, done) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = send.send(check(&rows[row]));
    });
    match done.recv_timeout(HANGS_AFTER) {
        Ok(result) => result.err(),
        Err(mpsc::RecvTimeoutError::Timeout) => Some("hangs: it was not stopped".to_owned()),
        Err(mpsc::RecvTimeoutError::Disconnected) => Some("the thread panicked".to_owned()),
    }
}
