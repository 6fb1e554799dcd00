//! The threads that run scripts: one for each core, each with its own current-thread runtime.
//!
//! A VM is not `Send` and never moves: an invocation is a local task of the worker that took it.
//! Each runs a slice and lets the others have their turn; one that waits for an answer from
//! outside holds no thread, and [`Places`] says how many there may be. Nothing is killed: a VM over its limit is not stepped again. The
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
use crate::script::places::{Busy, Place, Places};
use crate::script::registry::Script;
use crate::vm::{Entry, Limits, Machine, Outcome, RunError, Slice, Stats};

/// Threads of one worker for work that blocks: SQLite and files.
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

/// The pool. Dropping it lets the running invocations end and then stops the threads.
pub(crate) struct Workers {
    workers: Mutex<Vec<Worker>>,
    places: Arc<Places>,
    next: AtomicUsize,
}

struct Worker {
    jobs: mpsc::UnboundedSender<(Job, oneshot::Sender<Finished>, Arc<Place>)>,
    thread: JoinHandle<()>,
}

impl Workers {
    /// Starts `threads` workers.
    pub(crate) fn start(threads: usize) -> std::io::Result<Self> {
        let workers = (0..threads.max(1)).map(Worker::start).collect::<Result<_, _>>()?;
        Ok(Self { workers: Mutex::new(workers), places: Places::new(), next: AtomicUsize::new(0) })
    }

    /// Runs a job to its end. Dropping the future abandons the answer, not the job.
    ///
    /// # Errors
    /// [`Busy`] when there is no place and none comes free soon.
    pub(crate) async fn run(&self, job: Job) -> Result<Finished, Busy> {
        let place = self.places.reserve()?;
        let (answer, answered) = oneshot::channel();
        {
            let workers = self.workers.lock();
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let worker = workers.get(turn % workers.len().max(1)).ok_or(Busy)?;
            worker.jobs.send((job, answer, place)).map_err(|_| Busy)?;
        }
        answered.await.map_err(|_| Busy)
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
        let (jobs, mut queue) = mpsc::unbounded_channel::<(Job, oneshot::Sender<Finished>, Arc<Place>)>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .thread_name(format!("script-io-{number}"))
            .build()?;
        let work = async move {
            while let Some((mut job, answer, place)) = queue.recv().await {
                tokio::task::spawn_local(async move {
                    // Dropping the unused answer tells that this was refused.
                    let Ok(()) = place.enter().await else { return };
                    job.invocation.place = Some(place);
                    let finished = run_job(job).await;
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
    let invocation = Rc::new(invocation);
    let mut machine = match Machine::with_api(program, entry, limits, invocation.clone(), api::install) {
        Ok(machine) => machine,
        Err(error) => return Finished { result: Err(error), stats: Stats::default() },
    };
    let mut result = run_machine(&mut machine, limits).await;
    let stats = Stats { http_requests: invocation.http_requests.get(), ..machine.stats() };
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
