//! The threads that run scripts: one for each core, each with its own current-thread runtime.
//!
//! A VM is not `Send` and never moves: an invocation is a local task of the worker that took it.
//! Each runs a slice and lets the others have their turn; one that waits for an answer from
//! outside holds no thread. Nothing is killed: a VM over its limit is not stepped again. The
//! alternative, a thread for each invocation, would let a few busy scripts starve the peer.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::script::api::{self, Invocation};
use crate::script::registry::Script;
use crate::vm::{Entry, Limits, Machine, Outcome, RunError, Slice, Stats};

/// Threads of one worker for work that blocks: SQLite, files, HTTP.
const MAX_BLOCKING_THREADS: usize = 16;

/// An invocation on its way to a worker.
pub(crate) struct Job {
    pub(crate) script: Arc<Script>,
    pub(crate) entry: Entry,
    pub(crate) limits: Limits,
    pub(crate) invocation: Invocation,
}

/// How an invocation ended.
pub(crate) struct Finished {
    pub(crate) result: Result<Outcome, RunError>,
    pub(crate) stats: Stats,
}

/// There are as many invocations under way as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// The pool. Dropping it lets the running invocations end and then stops the threads.
pub(crate) struct Workers {
    workers: Mutex<Vec<Worker>>,
    under_way: Arc<AtomicUsize>,
    max_under_way: usize,
    next: AtomicUsize,
}

struct Worker {
    jobs: mpsc::UnboundedSender<(Job, oneshot::Sender<Finished>, Slot)>,
    thread: JoinHandle<()>,
}

/// A place among the invocations under way, given back when dropped.
struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Workers {
    /// Starts `threads` workers that together take at most `max_under_way` invocations at once.
    pub(crate) fn start(threads: usize, max_under_way: usize) -> std::io::Result<Self> {
        let workers = (0..threads.max(1)).map(Worker::start).collect::<Result<_, _>>()?;
        Ok(Self {
            workers: Mutex::new(workers),
            under_way: Arc::default(),
            max_under_way,
            next: AtomicUsize::new(0),
        })
    }

    /// Runs a job to its end. Dropping the future abandons the answer, not the job.
    ///
    /// # Errors
    /// [`Busy`] at once when there is no place, so that a queue can't grow.
    pub(crate) async fn run(&self, job: Job) -> Result<Finished, Busy> {
        let slot = self.take_slot()?;
        let (answer, answered) = oneshot::channel();
        {
            let workers = self.workers.lock();
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let worker = workers.get(turn % workers.len().max(1)).ok_or(Busy)?;
            worker.jobs.send((job, answer, slot)).map_err(|_| Busy)?;
        }
        answered.await.map_err(|_| Busy)
    }

    fn take_slot(&self) -> Result<Slot, Busy> {
        let taken = self.under_way.fetch_add(1, Ordering::AcqRel);
        let slot = Slot(self.under_way.clone());
        if taken >= self.max_under_way { Err(Busy) } else { Ok(slot) }
    }

    /// Takes no more jobs, waits for those under way (each has its deadline) and ends the
    /// threads. Blocks.
    pub(crate) fn stop(&self) {
        let workers = std::mem::take(&mut *self.workers.lock());
        let threads: Vec<_> = workers.into_iter().map(|worker| worker.thread).collect();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a script worker panicked");
            }
        }
    }
}

impl Worker {
    fn start(number: usize) -> std::io::Result<Self> {
        let (jobs, mut queue) = mpsc::unbounded_channel::<(Job, oneshot::Sender<Finished>, Slot)>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .thread_name(format!("script-io-{number}"))
            .build()?;
        let work = async move {
            while let Some((job, answer, slot)) = queue.recv().await {
                tokio::task::spawn_local(async move {
                    let finished = run_job(job).await;
                    drop(slot);
                    // Nobody may be waiting any more; the script has run all the same.
                    let _ = answer.send(finished);
                });
            }
        };
        let thread = std::thread::Builder::new().name(format!("script-{number}")).spawn(move || {
            let tasks = LocalSet::new();
            tasks.block_on(&runtime, work);
            // The queue is closed; what still runs, ends within its deadline.
            runtime.block_on(tasks);
        })?;
        Ok(Self { jobs, thread })
    }
}

/// Runs a job on this thread, as a worker does.
pub(crate) async fn run_job(job: Job) -> Finished {
    let Job { script, entry, limits, invocation } = job;
    let kv = invocation.kv.clone();
    let program = &script.program;
    let mut machine = match Machine::with_api(program, entry, limits, Rc::new(invocation), api::install) {
        Ok(machine) => machine,
        Err(error) => return Finished { result: Err(error), stats: Stats::default() },
    };
    let mut result = run_machine(&mut machine, limits).await;
    let stats = machine.stats();
    drop(machine);
    // Whatever the script was told is stored must be on disk before anyone is told the outcome.
    if let Some(kv) = kv
        && let Err(error) = kv.flush().await
    {
        tracing::error!(script = %script.name, %error, "goop.kv could not be written");
        result = result.and(Err(RunError::Internal { detail: error.to_string() }));
    }
    Finished { result, stats }
}

async fn run_machine(machine: &mut Machine, limits: Limits) -> Result<Outcome, RunError> {
    loop {
        match machine.run_slice() {
            Slice::Finished(result) => return result,
            Slice::Paused => tokio::task::yield_now().await,
            Slice::Waiting(waiting) => {
                let deadline = Instant::from_std(machine.deadline());
                match tokio::time::timeout_at(deadline, waiting.answer()).await {
                    Ok(answer) => machine.resume(answer),
                    Err(_) => return Err(RunError::Timeout { limit: limits.time }),
                }
            }
        }
    }
}
