//! A process of its own for each hostile script: this program, started once more.
//!
//! An abort, an overflow of the native stack or a thread left behind would take the other tests along or go
//! unnoticed among them; the memory of a process says nothing of one script when many run in it. The
//! child runs what it is told on stdin and reports on stdout; the parent asserts.

use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use goop2::script::{Runner, Surroundings};
use goop2::vm::{Entry, Limits};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::engine::bare_surroundings;
use crate::measure::{Measured, measure, measure_run};

/// The test below, by the name under which the test program knows it.
const CHILD_TEST: &str = "child::runs_what_it_is_told";

/// Stands before the report in what the child writes: the test program writes there too.
const REPORT: &str = "@report ";

/// When a child counts as hanging. Far over any deadline here, because the machine that runs the tests may
/// be busy with other things.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// Children at the same time, over all tests of this program.
const CHILDREN: usize = 2;

/// What a child is to run.
#[derive(Serialize, Deserialize)]
struct Order {
    source: Vec<u8>,
    start: Start,
    time: Duration,
    memory_bytes: usize,
}

/// [`Entry`], as it is written to a child.
#[derive(Debug, Serialize, Deserialize)]
enum Start {
    Chunk,
    Handle(String),
    Call(Json),
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) measured: Measured,
    /// Before and after; none where the system does not tell.
    pub(crate) process: Option<(Process, Process)>,
    /// What an ordinary script gave afterwards.
    pub(crate) afterwards: String,
}

/// What the system says of a process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Process {
    /// The most memory that it ever had resident (`VmHWM`).
    pub(crate) peak_resident_bytes: u64,
    pub(crate) threads: u64,
}

/// Runs a script in a process of its own.
pub(crate) fn run_in_child(source: &[u8], entry: &Entry, limits: Limits) -> Result<Report, String> {
    let start = match entry {
        Entry::Chunk => Start::Chunk,
        Entry::Handle(args) => Start::Handle(args.clone()),
        Entry::Call(params) => Start::Call(params.clone()),
    };
    let order =
        Order { source: source.to_vec(), start, time: limits.time, memory_bytes: limits.memory_bytes };
    let _slot = Slot::take();
    let (status, output) = converse(serde_json::to_vec(&order).map_err(|error| error.to_string())?)?;
    let report = output.lines().find_map(|line| line.strip_prefix(REPORT));
    match report.map(serde_json::from_str) {
        Some(Ok(report)) if status.success() => Ok(report),
        Some(Err(error)) => Err(format!("the report can't be read: {error}")),
        _ => Err(format!("the process ended with {status}: {output}")),
    }
}

/// Starts a child, sends the order and takes all that it writes.
fn converse(order: Vec<u8>) -> Result<(ExitStatus, String), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(program)
        .args([CHILD_TEST, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the child does not start: {error}"))?;
    let output = drain(&mut child);
    if let Some(mut stdin) = child.stdin.take() {
        // A child that is gone already shows in its status.
        let _ = stdin.write_all(&order);
    }
    let Ok(output) = output.recv_timeout(HANGS_AFTER) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err("hangs: it was not stopped".to_owned());
    };
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok((status, output))
}

fn drain(child: &mut Child) -> mpsc::Receiver<String> {
    let (send, output) = mpsc::channel();
    if let Some(mut stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stdout.read_to_end(&mut bytes);
            let _ = send.send(String::from_utf8_lossy(&bytes).into_owned());
        });
    }
    output
}

/// One of [`CHILDREN`] places: more children than processors would measure each other.
struct Slot;

static FREE_SLOTS: Mutex<usize> = Mutex::new(CHILDREN);
static SLOT_FREED: Condvar = Condvar::new();

impl Slot {
    fn take() -> Self {
        let free = FREE_SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = SLOT_FREED.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Self
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *FREE_SLOTS.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        SLOT_FREED.notify_one();
    }
}

// ---- In the child

#[test]
#[ignore = "no test of its own: other tests start it as a process"]
#[expect(clippy::print_stdout, reason = "the report goes to the parent")]
fn runs_what_it_is_told() {
    let mut order = Vec::new();
    std::io::stdin().read_to_end(&mut order).unwrap();
    if order.is_empty() {
        return;
    }
    let order: Order = serde_json::from_slice(&order).unwrap();
    let entry = match order.start {
        Start::Chunk => Entry::Chunk,
        Start::Handle(args) => Entry::Handle(args),
        Start::Call(params) => Entry::Call(params),
    };
    let limits = Limits { time: order.time, memory_bytes: order.memory_bytes };
    let at_first = this_process();
    // Once before, so that what is made on first use does not count.
    ordinary_script();
    let before = at_first.and_then(|at_first| settled(at_first.threads));
    let uses_api = holds(&order.source, b"goop.");
    let measured = if uses_api { measure_in_engine } else { measure }(&order.source, entry, limits);
    let afterwards = ordinary_script();
    let process = before.and_then(|before| Some((before, settled(before.threads)?)));
    let report = Report { measured, process, afterwards };
    println!("\n{REPORT}{}", serde_json::to_string(&report).unwrap());
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// As [`measure`], for a script that uses what the engine adds to the VM.
fn measure_in_engine(source: &[u8], entry: Entry, limits: Limits) -> Measured {
    let surroundings = Surroundings {
        limits,
        #[cfg(feature = "http")]
        http: Some(goop2::script::HttpClient::new()),
        ..bare_surroundings()
    };
    let runner = Runner::load(Path::new("measured.lua"), source, surroundings).unwrap();
    let mut measured = Measured::default();
    measure_run(&mut measured, |measured| {
        let (result, stats) = runner.run(entry);
        measured.counted_bytes = stats.peak_memory_bytes;
        result
    });
    measured
}

/// What the next script in the same process gives.
fn ordinary_script() -> String {
    let source = b"function handle(args) return 'hello ' .. args end";
    let entry = Entry::Handle("you".to_owned());
    measure(source, entry, Limits::default()).result
}

/// The process when it has at most `threads` threads, or after two seconds: the system forgets a thread a
/// little after it was joined.
fn settled(threads: u64) -> Option<Process> {
    let start = Instant::now();
    loop {
        let process = this_process()?;
        if process.threads <= threads || start.elapsed() > Duration::from_secs(2) {
            return Some(process);
        }
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
fn this_process() -> Option<Process> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let number = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().split(' ').next()?.parse::<u64>().ok()
    };
    Some(Process { peak_resident_bytes: number("VmHWM:")? * 1024, threads: number("Threads:")? })
}

/// Elsewhere it takes a call for which the standard library has no safe function.
#[cfg(not(target_os = "linux"))]
fn this_process() -> Option<Process> {
    None
}
