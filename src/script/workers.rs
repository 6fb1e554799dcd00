//! The threads that run scripts: one for each core, each with its own current-thread runtime.
//!
//! A VM is not `Send` and never moves: an invocation is a local task of the worker that took it.
//! Each runs a slice and lets the others have their turn; one that waits for an answer from
//! outside holds no thread. Nothing is killed: a VM over its limit is not stepped again. The
//! alternative, a thread for each invocation, would let a few busy scripts starve the peer.
//!
//! How many there may be is for [`Places`] to say. Those that wait for a place do so in the caller's task,
//! before they have a VM.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot::error::{RecvError, TryRecvError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::script::api::{self, Invocation};
use crate::script::places::{Busy, Place, Places};
use crate::script::registry::Script;
use crate::vm::{Entry, Limits, Machine, Outcome, RunError, Slice, Stats, panic_text};

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
    /// Closed when the pool stops.
    places: Arc<Places>,
}

struct Worker {
    jobs: mpsc::UnboundedSender<Ticket>,
    /// The jobs that this worker has, so that a new one goes to whoever has the fewest.
    load: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

/// A job with all that must be given back when it is done.
struct Ticket {
    job: Job,
    answer: oneshot::Sender<Finished>,
    place: Arc<Place>,
    _load: Counted,
}

/// One more in a count, until dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Workers {
    /// Starts `threads` workers that together run at most `max_running` invocations, while at most
    /// `max_waiting` wait.
    pub(crate) fn start(threads: usize, max_running: usize, max_waiting: usize) -> std::io::Result<Self> {
        let workers = (0..threads.max(1)).map(Worker::start).collect::<Result<_, _>>()?;
        Ok(Self { workers: Mutex::new(workers), places: Places::new(max_running, max_waiting) })
    }

    /// Runs a job to its end. Dropping the future abandons a job that waits; one that runs goes on, and
    /// only its answer is abandoned.
    ///
    /// # Errors
    /// [`Busy`] at once when as many run and wait as may, or when the pool stops.
    pub(crate) async fn run(&self, job: Job) -> Result<Finished, Busy> {
        let place = self.places.enter(&job.script.name).await?;
        let (answer, mut answered) = oneshot::channel();
        let is_only_job = {
            let workers = self.workers.lock();
            let least =
                workers.iter().min_by_key(|worker| worker.load.load(Ordering::Acquire)).ok_or(Busy)?;
            let load_before = least.load.load(Ordering::Acquire);
            let _load = Counted::new(&least.load);
            let ticket = Ticket { job, answer, place, _load };
            least.jobs.send(ticket).map_err(|_| Busy)?;
            load_before == 0
        };
        if is_only_job {
            let soon = stay_awake(|| match answered.try_recv() {
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Closed) => Some(lost()),
                Ok(answer) => Some(answer),
            });
            if let Some(answer) = soon.await {
                return Ok(answer);
            }
        }
        Ok(answered.await.unwrap_or_else(|_: RecvError| lost()))
    }

    /// Takes no more jobs, waits for those that run (each has its deadline) and ends the threads. Blocks.
    pub(crate) fn stop(&self) {
        self.places.close();
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
        let (jobs, queue) = mpsc::unbounded_channel::<Ticket>();
        let load = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .thread_name(format!("script-io-{number}"))
            .build()?;
        let shared = load.clone();
        let thread = std::thread::Builder::new().name(format!("script-{number}")).spawn(move || {
            let tasks = LocalSet::new();
            tasks.block_on(&runtime, work(queue, shared));
            // The queue is closed; what still runs, ends within its deadline.
            runtime.block_on(tasks);
        })?;
        Ok(Self { jobs, load, thread })
    }
}

/// How long a thread that has nothing to do looks out for what it waits for before it sleeps.
///
/// A core that sleeps takes some 30 µs to wake, as measured on a virtual machine of two cores, while a small command
/// takes 5: without this, a single caller would wait for two such wakes, of the worker and of its own thread.
const AWAKE_TIME: Duration = Duration::from_micros(50);

/// Looks again and again for [`AWAKE_TIME`], with a turn for all other tasks and threads in between.
async fn stay_awake<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = std::time::Instant::now();
    loop {
        let found = look();
        if found.is_some() || start.elapsed() >= AWAKE_TIME {
            return found;
        }
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
}

/// The next job, or nothing when the queue is closed.
async fn next_job(queue: &mut mpsc::UnboundedReceiver<Ticket>, load: &AtomicUsize) -> Option<Ticket> {
    if load.load(Ordering::Acquire) == 0
        && let Some(ticket) = stay_awake(|| queue.try_recv().ok()).await
    {
        return Some(ticket);
    }
    queue.recv().await
}

/// What a job gave that a worker took and did not answer. A pool that stops answers what it took.
fn lost() -> Finished {
    let detail = "the invocation ended without an answer".to_owned();
    Finished { result: Err(RunError::Internal { detail }), stats: Stats::default() }
}

/// Takes jobs until the queue is closed.
async fn work(mut queue: mpsc::UnboundedReceiver<Ticket>, load: Arc<AtomicUsize>) {
    while let Some(ticket) = next_job(&mut queue, &load).await {
        let mut task = Box::pin(run_ticket(ticket, load.clone()));
        // Its first slice at once: a small command, which has no second, waits for no round of those that
        // are busy.
        let first_slice = |context: &mut Context<'_>| Poll::Ready(task.as_mut().poll(context).is_pending());
        if poll_fn(first_slice).await {
            drop(tokio::task::spawn_local(task));
        }
    }
}

/// Runs the job of a ticket and hands in its answer.
async fn run_ticket(ticket: Ticket, load: Arc<AtomicUsize>) {
    let Ticket { mut job, answer, place, _load } = ticket;
    job.invocation.place = Some(place);
    let script = job.script.clone();
    let finished = caught(run_job(job, &load)).await;
    if let Err(RunError::Script { .. }) = &finished.result {
        // It has failed, so that it may again, and then its owner wants to know all.
        drop(tokio::task::spawn_blocking(move || script.trace()));
    }
    // With the place, which went with the job, before the caller can ask for another.
    drop(_load);
    // Nobody may be waiting any more; the script has run all the same.
    let _ = answer.send(finished);
}

/// What `running` gives, or that it panicked. The VM catches its own panics; this is for all around it.
async fn caught(running: impl Future<Output = Finished>) -> Finished {
    let mut running = Box::pin(running);
    let polled = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context)));
        match polled {
            Ok(poll) => poll,
            Err(panic) => {
                let detail = panic_text(panic.as_ref());
                let result = Err(RunError::Internal { detail });
                Poll::Ready(Finished { result, stats: Stats::default() })
            }
        }
    });
    polled.await
}

/// Runs a job on this thread, as a worker does; `load` is how many jobs this thread has.
pub(crate) async fn run_job(job: Job, load: &AtomicUsize) -> Finished {
    let Job { script, entry, limits, invocation } = job;
    let kv = invocation.kv.clone();
    let program = script.program();
    let invocation = Rc::new(invocation);
    let mut machine = match Machine::with_api(program, entry, limits, invocation.clone(), api::install) {
        Ok(machine) => machine,
        Err(error) => return Finished { result: Err(error), stats: Stats::default() },
    };
    let mut result = run_machine(&mut machine, limits, load).await;
    let stats = Stats { http_requests: invocation.http_requests.get(), ..machine.stats() };
    drop(machine);
    // Whatever the script was told is stored must be on disk before anyone is told the outcome.
    if let Some(kv) = kv
        && let Err(error) = kv.flush().await
    {
        let problem = format!("{}.json: {error}", script.name);
        if result.is_err() {
            // The script's own failure is what is reported.
            tracing::warn!(target: "goop2::lua", script = %script.name, "goop.kv: {problem}");
        }
        result = result.and(Err(RunError::NotKept { library: "goop.kv", problem }));
    }
    Finished { result, stats }
}

async fn run_machine(machine: &mut Machine, limits: Limits, load: &AtomicUsize) -> Result<Outcome, RunError> {
    loop {
        match machine.run_slice_for(slice_time(load.load(Ordering::Relaxed))) {
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

/// How long each of `jobs` runs before the next has its turn: short enough that a round of all of them is
/// too, long enough that running outweighs changing over.
fn slice_time(jobs: usize) -> Duration {
    /// The longest that a round should take.
    const ROUND: Duration = Duration::from_millis(2);
    /// A change of turns takes about a microsecond.
    const MIN_SLICE: Duration = Duration::from_micros(20);
    /// Nobody waits, but a new job may come.
    const MAX_SLICE: Duration = Duration::from_micros(200);
    let jobs = u32::try_from(jobs).unwrap_or(u32::MAX).max(1);
    (ROUND / jobs).clamp(MIN_SLICE, MAX_SLICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The visitor was told that the peer is busy, and the owner nothing.
    #[tokio::test]
    async fn a_panic_around_the_vm_is_an_internal_error_of_its_invocation() {
        let finished = caught(async {
            tokio::task::yield_now().await;
            panic!("out of place")
        });
        let internal = RunError::Internal { detail: "out of place".to_owned() };
        assert_eq!(finished.await.result, Err(internal));
    }
}
