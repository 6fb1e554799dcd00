//! One VM, one invocation: built, stepped in slices, dropped.
//!
//! The machine never runs by itself. Whoever owns it calls [`Machine::run_slice`] until it is
//! finished; between two slices it costs nothing but memory, so thousands can wait. A machine
//! that broke a limit is not stepped again, which is why no script can catch that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use ottavino_gc_arena::metrics::Pacing;
use piccolo::{Context, Fuel, Lua, StashedExecutor, String as LuaString, Table, Value, Variadic};
use serde_json::Value as Json;

use crate::vm::budget::Budget;
use crate::vm::call::{Host, Shared};
use crate::vm::error::{ConvertError, RunError};
use crate::vm::from_json::json_to_value;
use crate::vm::installer::{self, Install};
use crate::vm::limits::{Limits, MAX_REPLY_TEXT_BYTES};
use crate::vm::mark::{NOWHERE, set_mark};
use crate::vm::native::{Answer, PendingAnswer, Raise};
use crate::vm::panic_text;
use crate::vm::program::Program;
use crate::vm::stdlib::text::number_text;
use crate::vm::to_json::value_to_json;
use crate::vm::vm_error::run_error;

/// Fuel for one step. What is looked at after every step, above all the clock, costs about a
/// hundredth of that. More would let a step take long before its VM is known to be a heavy one.
const STEP_FUEL: i32 = 512;

/// Fuel for one step of a heavy VM, whose instructions may take long: the least there is, because
/// the VM runs 64 instructions at a time whatever the fuel.
const HEAVY_STEP_FUEL: i32 = 64;

/// Garbage that a VM may hold before the collector starts: most small invocations end before.
const COLLECT_FROM_BYTES: usize = 64 * 1024;

/// The longest a slice goes on before others get their turn.
const SLICE_TIME: Duration = Duration::from_micros(200);

/// What an invocation is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Run the main chunk only.
    Chunk,
    /// Run the main chunk, then `handle(args)`.
    Handle(String),
    /// Run the main chunk, then `call({params = …})`.
    Call(Json),
}

/// What an invocation gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// [`Entry::Chunk`] has run.
    Done,
    /// What `handle` returned, of a text over [`MAX_REPLY_TEXT_BYTES`] the beginning; `None` for nil or an empty
    /// string, which mean "no reply".
    Reply(Option<Vec<u8>>),
    /// What `call` returned.
    Result(Json),
}

/// How a slice ended.
pub enum Slice {
    /// There is more to do.
    Paused,
    /// The script waits: await [`Waiting::answer`], then [`Machine::resume`].
    Waiting(Waiting),
    /// The invocation is over.
    Finished(Result<Outcome, RunError>),
}

/// A request of the script that is under way outside the VM.
pub struct Waiting(PendingAnswer);

impl Waiting {
    /// Waits for the answer. Dropping the future abandons the request.
    pub async fn answer(self) -> Answered {
        Answered(self.0.await)
    }
}

/// An answer on its way into the VM.
pub struct Answered(Answer);

/// What an invocation used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Fuel, about one unit an instruction.
    pub fuel: u64,
    /// The most memory held between two steps, in bytes.
    pub peak_memory_bytes: usize,
    /// Wall time since the machine was built.
    pub wall: Duration,
    /// HTTP requests begun, refused ones included; none without `goop.http`.
    pub http_requests: u32,
}

/// Where a finished main chunk leads.
enum Phase {
    Chunk(Entry),
    Entry(&'static str),
}

/// One VM that runs one invocation.
pub struct Machine {
    executor: StashedExecutor,
    lua: Lua,
    shared: Rc<Shared>,
    script: String,
    phase: Phase,
    fuel: u64,
}

impl Machine {
    /// Builds a VM with the standard library and nothing else; `print` gets what the script
    /// prints, a line at a time and without the line end.
    ///
    /// # Errors
    /// [`RunError::Internal`] when the program can't be turned into a function: a bug.
    pub fn new(
        program: &Program,
        entry: Entry,
        limits: Limits,
        print: impl Fn(&[u8]) + 'static,
    ) -> Result<Self, RunError> {
        let host = PlainHost { print: Box::new(print) };
        Self::with_api(program, entry, limits, Rc::new(host), |_| {})
    }

    /// Builds a VM and lets `install` add to it; `host` is what those natives share.
    pub(crate) fn with_api(
        program: &Program,
        entry: Entry,
        limits: Limits,
        host: Rc<dyn Host>,
        install: Install,
    ) -> Result<Self, RunError> {
        guarded(|| {
            let shared = Rc::new(Shared::new(Budget::new(limits), host, program.places().clone()));
            let mut lua = empty_lua();
            let executor = lua.enter(|ctx| installer::build(ctx, program, &shared, install))?;
            let script = program.name().to_owned();
            Ok(Self { executor, lua, shared, script, phase: Phase::Chunk(entry), fuel: 0 })
        })
    }

    /// Runs for about a fifth of a millisecond.
    ///
    /// After [`Slice::Finished`] there is nothing more to do: drop the machine.
    pub fn run_slice(&mut self) -> Slice {
        self.run_slice_for(SLICE_TIME)
    }

    /// Runs for about `time`, for those who have many machines to give turns to.
    ///
    /// After [`Slice::Finished`] there is nothing more to do: drop the machine.
    pub fn run_slice_for(&mut self, time: Duration) -> Slice {
        match guarded(|| self.steps(time)) {
            Ok(slice) => slice,
            Err(error) => Slice::Finished(Err(error)),
        }
    }

    /// Hands in the answer that the script waits for.
    pub fn resume(&mut self, answer: Answered) {
        *self.shared.answer.borrow_mut() = Some(answer.0);
    }

    /// What the invocation has used so far.
    pub fn stats(&self) -> Stats {
        Stats {
            fuel: self.fuel,
            peak_memory_bytes: self.shared.budget.peak_bytes(),
            wall: self.shared.budget.started().elapsed(),
            http_requests: 0,
        }
    }

    /// When the invocation must have ended.
    pub fn deadline(&self) -> Instant {
        self.shared.budget.deadline()
    }

    /// Runs to the end on this thread, for callers without a runtime. Requests of the script are
    /// waited for with `wait`.
    pub fn run(&mut self, mut wait: impl FnMut(Waiting) -> Answered) -> Result<Outcome, RunError> {
        loop {
            match self.run_slice() {
                Slice::Paused => {}
                Slice::Waiting(waiting) => self.resume(wait(waiting)),
                Slice::Finished(result) => return result,
            }
        }
    }

    fn steps(&mut self, slice_time: Duration) -> Result<Slice, RunError> {
        let slice_start = Instant::now();
        loop {
            let heavy = self.shared.budget.is_heavy(self.lua.total_memory());
            let step_fuel = if heavy { HEAVY_STEP_FUEL } else { STEP_FUEL };
            let mut fuel = Fuel::with(step_fuel);
            let executor = &self.executor;
            let stopped = self
                .lua
                .enter(|ctx| ctx.fetch(executor).step(ctx, &mut fuel))
                .map_err(|mode| RunError::Internal { detail: format!("the executor is in a {mode}") })?;
            self.fuel += u64::try_from(i64::from(step_fuel) - i64::from(fuel.remaining())).unwrap_or(0);
            let now = Instant::now();
            self.shared.budget.check_deadline(now);
            self.check_memory();
            if let Some(error) = self.shared.budget.verdict() {
                return Err(error);
            }
            if stopped {
                let outcome = self.advance()?;
                // Turning the result into JSON takes time too.
                self.shared.budget.check_deadline(Instant::now());
                match (outcome, self.shared.budget.verdict()) {
                    (_, Some(error)) => return Err(error),
                    (Some(outcome), None) => return Ok(Slice::Finished(Ok(outcome))),
                    (None, None) => {}
                }
            } else if let Some(pending) = self.shared.budget.take_pending() {
                return Ok(Slice::Waiting(Waiting(pending)));
            }
            if now.duration_since(slice_start) >= slice_time {
                return Ok(Slice::Paused);
            }
        }
    }

    /// Collects when a native asked for it or the limit is passed; over it all the same, the
    /// invocation ends.
    fn check_memory(&mut self) {
        let held = self.lua.total_memory();
        self.shared.budget.note_memory(held);
        let fits = self.shared.budget.fits(self.lua.gc_metrics(), 0);
        if self.shared.budget.take_collection_wanted() || !fits {
            // A collection only finishes the cycle under way, and what died meanwhile stays for
            // the next one: nobody is stopped for memory that is garbage.
            self.lua.gc_collect();
            self.lua.gc_collect();
            if !self.shared.budget.fits(self.lua.gc_metrics(), 0) {
                self.shared.budget.refuse_memory(self.lua.total_memory(), 0);
            }
        }
    }

    /// Takes what the running function returned: after the main chunk the entry point is
    /// started, after that the invocation is over.
    fn advance(&mut self) -> Result<Option<Outcome>, RunError> {
        let Self { lua, executor, shared, script, phase, .. } = self;
        lua.enter(|ctx| {
            let executor = ctx.fetch(executor);
            let result = executor.take_result::<Variadic<Vec<Value<'_>>>>(ctx);
            let result = result.map_err(|mode| RunError::Internal { detail: mode.to_string() })?;
            let values = result.map_err(|error| run_error(ctx, shared, &error))?;
            let value = values.0.first().copied().unwrap_or_default();
            let (entry, arguments) = match phase {
                Phase::Entry("handle") => return reply(value).map(Outcome::Reply).map(Some),
                Phase::Entry(entry) => return result_json(ctx, value, entry).map(Some),
                Phase::Chunk(Entry::Chunk) => return Ok(Some(Outcome::Done)),
                Phase::Chunk(Entry::Handle(args)) => {
                    shared.budget.note_string(args.len());
                    let args = LuaString::from_slice(&ctx, args.as_bytes());
                    shared.budget.check_numeral(args, || None);
                    ("handle", args.into())
                }
                Phase::Chunk(Entry::Call(params)) => ("call", request(ctx, shared, params)?),
            };
            let Value::Function(function) = ctx.get_global_value(entry) else {
                return Err(RunError::NoEntry { script: script.clone(), entry });
            };
            set_mark(ctx, shared, NOWHERE);
            executor.restart(ctx, function, Variadic([arguments]));
            *phase = Phase::Entry(entry);
            Ok(None)
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The VM is dropped here, under guard: a panic while freeing a script's values is our
        // bug and must end nothing but this invocation.
        let lua = std::mem::replace(&mut self.lua, Lua::empty());
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(lua)));
        if let Err(panic) = dropped {
            let detail = panic_text(panic.as_ref());
            tracing::error!(script = %self.script, "internal error while freeing a script's values: {detail}");
        }
    }
}

/// The host of machines without an API.
struct PlainHost {
    print: PrintSink,
}

/// Takes the lines that a script prints.
type PrintSink = Box<dyn Fn(&[u8])>;

impl Host for PlainHost {
    fn print(&self, line: &[u8]) {
        (self.print)(line);
    }
}

fn guarded<T>(work: impl FnOnce() -> Result<T, RunError>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(RunError::Internal { detail: panic_text(panic.as_ref()) }))
}

/// A VM without anything in it. The collector of the published one begins its work after 4 KiB, which
/// most invocations pass and few need: they are over before it would have freed anything. The pause that
/// is asked for holds from the next cycle on, so the first one, over nothing, is run now.
fn empty_lua() -> Lua {
    let mut lua = Lua::empty();
    lua.gc_metrics().set_pacing(Pacing::default().with_min_sleep(COLLECT_FROM_BYTES));
    lua.gc_collect();
    lua
}

/// What `handle` returned, as a reply.
fn reply(value: Value<'_>) -> Result<Option<Vec<u8>>, RunError> {
    let bytes = match value {
        Value::Nil => return Ok(None),
        Value::String(text) => {
            let text = text.as_bytes();
            text.get(..MAX_REPLY_TEXT_BYTES).unwrap_or(text).to_vec()
        }
        value => match number_text(value) {
            Some(text) => text.into_bytes(),
            None => {
                let problem = ConvertError::Unexpected {
                    found: value.type_name(),
                    expected: "a string, a number or nil",
                };
                return Err(RunError::Result { entry: "handle", problem });
            }
        },
    };
    Ok(if bytes.is_empty() { None } else { Some(bytes) })
}

fn result_json<'gc>(ctx: Context<'gc>, value: Value<'gc>, entry: &'static str) -> Result<Outcome, RunError> {
    value_to_json(ctx, value, "result")
        .map(Outcome::Result)
        .map_err(|problem| RunError::Result { entry, problem })
}

/// `{params = …}`.
fn request<'gc>(ctx: Context<'gc>, shared: &Shared, params: &Json) -> Result<Value<'gc>, RunError> {
    let params = json_to_value(ctx, &shared.budget, params).map_err(|raise| match raise {
        Raise::NeedMemory(wanted) => RunError::Memory {
            wanted: ctx.metrics().total_allocation().saturating_add(wanted),
            limit: shared.budget.limits().memory_bytes,
        },
        // It is JSON already, so that only limits are left to go wrong.
        Raise::Message(message) => RunError::Request { problem: message.to_string() },
        Raise::Value(_) | Raise::NotCallable(_) | Raise::Ended => {
            RunError::Internal { detail: "params".to_owned() }
        }
    })?;
    let request = Table::new(&ctx);
    request.set_field(ctx, "params", params);
    Ok(request.into())
}
