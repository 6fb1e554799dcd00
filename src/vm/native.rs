//! How natives are written: one table entry a native, a name, a price and a function.
//!
//! The price is charged before it runs. One that finds too little memory is run once more after
//! a collection. One that waits for an answer from outside holds no thread.
//!
//! The published VM offers closures for callbacks; plain functions are used instead because a
//! VM is built for each invocation, and a table entry costs no allocation of its own.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use ottavino_gc_arena::Collect;
use piccolo::meta_ops::MetaCallError;
use piccolo::{
    BoxSequence, Callback, CallbackFn, CallbackReturn, Context, Error, Execution, Function, Sequence,
    SequencePoll, Stack, Value,
};

use crate::vm::call::{Call, Shared};
use crate::vm::error::RunError;
use crate::vm::task::{self, Task, Turn};

/// A function of the sandbox.
pub(crate) struct Native {
    /// The name scripts call it by, for error messages.
    pub(crate) name: &'static str,
    /// Fuel charged for each call, before it runs.
    pub(crate) fuel: i32,
    /// What it does.
    pub(crate) run: NativeFn,
}

pub(crate) type NativeFn = for<'gc> fn(&mut Call<'gc, '_>) -> Outcome<'gc>;

pub(crate) type Outcome<'gc> = Result<Flow<'gc>, Raise<'gc>>;

/// How a native ends.
pub(crate) enum Flow<'gc> {
    /// The stack holds the results.
    Return,
    /// Call `function` with what is on the stack; then go on with `then`, or return its results.
    Call { function: Function<'gc>, then: Option<BoxSequence<'gc>> },
    /// Go on with a sequence that can pause.
    Continue(BoxSequence<'gc>),
    /// Wait for an answer from outside, holding no thread.
    #[cfg_attr(
        not(any(feature = "db", feature = "http")),
        expect(dead_code, reason = "only the database and HTTP answer from outside")
    )]
    Wait(PendingAnswer),
}

/// How a native fails.
pub(crate) enum Raise<'gc> {
    /// A message; it gets the position of the calling line.
    Message(String),
    /// Any value, as it is.
    Value(Value<'gc>),
    /// A call of something that can't be called.
    NotCallable(MetaCallError),
    /// More memory is needed than there is: collect, run the native once more, and if it still
    /// does not fit the invocation ends.
    NeedMemory(usize),
    /// The invocation ends; the verdict has been written down.
    Ended,
}

/// An answer that is not there yet. Its result runs inside the VM to put the values on the stack.
pub(crate) type PendingAnswer = Pin<Box<dyn Future<Output = Answer>>>;

/// Puts an answer on the stack. It may run twice, when the first time finds too little memory.
pub(crate) type Answer = Rc<dyn for<'gc, 'a, 'b> Fn(&'b mut Call<'gc, 'a>) -> Outcome<'gc>>;

impl Native {
    /// The native as a value of the VM.
    pub(crate) fn bind<'gc>(&'static self, ctx: Context<'gc>, shared: &Rc<Shared>) -> Callback<'gc> {
        self.bind_with(ctx, shared, Value::Nil)
    }

    /// The native as a value of the VM, with a value of its own: its upvalue.
    pub(crate) fn bind_with<'gc>(
        &'static self,
        ctx: Context<'gc>,
        shared: &Rc<Shared>,
        upvalue: Value<'gc>,
    ) -> Callback<'gc> {
        Callback::new(&ctx, BoundNative { native: self, shared: shared.clone(), upvalue })
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct BoundNative<'gc> {
    #[collect(require_static)]
    native: &'static Native,
    #[collect(require_static)]
    shared: Rc<Shared>,
    upvalue: Value<'gc>,
}

impl<'gc> CallbackFn<'gc> for BoundNative<'gc> {
    fn call(
        &self,
        ctx: Context<'gc>,
        mut exec: Execution<'gc, '_>,
        stack: Stack<'gc, '_>,
    ) -> Result<CallbackReturn<'gc>, Error<'gc>> {
        exec.fuel().consume(self.native.fuel);
        let Self { native, upvalue, .. } = *self;
        let mut call = Call { ctx, exec, stack, shared: &self.shared, name: native.name, upvalue };
        let outcome = match (native.run)(&mut call) {
            // How nearly all calls end.
            Ok(Flow::Return) => return Ok(CallbackReturn::Return),
            outcome => outcome,
        };
        match settle(&mut call, outcome)? {
            Settled::Return => Ok(CallbackReturn::Return),
            Settled::Call { function, then } => Ok(CallbackReturn::Call { function, then }),
            Settled::Continue(sequence) => Ok(CallbackReturn::Sequence(sequence)),
            Settled::Again => {
                let bound = BoundNative { native, shared: self.shared.clone(), upvalue };
                let retry = Retry { bound, then: None };
                Ok(CallbackReturn::Sequence(BoxSequence::new(&ctx, retry)))
            }
        }
    }
}

/// An outcome after the budget has had its say.
enum Settled<'gc> {
    Return,
    Call {
        function: Function<'gc>,
        then: Option<BoxSequence<'gc>>,
    },
    Continue(BoxSequence<'gc>),
    /// Out of memory for the first time: try once more after a collection.
    Again,
}

/// Runs a native once more, after the collection it asked for, and then whatever sequence it
/// goes on with.
#[derive(Collect)]
#[collect(no_drop)]
struct Retry<'gc> {
    bound: BoundNative<'gc>,
    then: Option<BoxSequence<'gc>>,
}

impl<'gc> Sequence<'gc> for Retry<'gc> {
    fn poll(
        mut self: Pin<&mut Self>,
        ctx: Context<'gc>,
        exec: Execution<'gc, '_>,
        stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        if let Some(then) = &mut self.then {
            return then.poll(ctx, exec, stack);
        }
        let BoundNative { native, upvalue, .. } = self.bound;
        let shared = self.bound.shared.clone();
        let mut call = Call { ctx, exec, stack, shared: &shared, name: native.name, upvalue };
        let outcome = match (native.run)(&mut call) {
            // Asked for the second time: now it is final.
            Err(raise) => return Err(call.error(raise)),
            outcome => outcome,
        };
        match settle(&mut call, outcome)? {
            Settled::Return => Ok(SequencePoll::Return),
            Settled::Call { function, then: None } => Ok(SequencePoll::TailCall(function)),
            Settled::Call { function, then } => {
                self.then = then;
                Ok(SequencePoll::Call { bottom: 0, function })
            }
            Settled::Continue(sequence) => {
                self.then = Some(sequence);
                Ok(SequencePoll::Pending)
            }
            Settled::Again => Ok(SequencePoll::Pending),
        }
    }

    fn error(
        mut self: Pin<&mut Self>,
        ctx: Context<'gc>,
        exec: Execution<'gc, '_>,
        error: Error<'gc>,
        stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        match &mut self.then {
            Some(then) => then.error(ctx, exec, error, stack),
            None => Err(error),
        }
    }
}

/// Waits for the answer to a request.
#[derive(Collect)]
#[collect(require_static)]
struct Waiter {
    answer: Option<Answer>,
}

impl<'gc> Task<'gc> for Waiter {
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        if self.answer.is_none() {
            self.answer = call.shared.answer.borrow_mut().take();
        }
        let Some(answer) = self.answer.clone() else {
            call.exec.fuel().interrupt();
            return Ok(Turn::Pause);
        };
        match answer(call)? {
            Flow::Return => Ok(Turn::Return),
            Flow::Call { .. } | Flow::Continue(_) | Flow::Wait(_) => {
                let detail = format!("the answer to {} is no plain result", call.name);
                call.shared.budget.end(RunError::Internal { detail });
                Err(Raise::Ended)
            }
        }
    }
}

/// Turns the outcome of a native into what the VM does next.
fn settle<'gc>(call: &mut Call<'gc, '_>, outcome: Outcome<'gc>) -> Result<Settled<'gc>, Error<'gc>> {
    match outcome {
        Ok(Flow::Return) => Ok(Settled::Return),
        Ok(Flow::Call { function, then }) => Ok(Settled::Call { function, then }),
        Ok(Flow::Continue(sequence)) => Ok(Settled::Continue(sequence)),
        Ok(Flow::Wait(pending)) => {
            call.shared.budget.set_pending(pending);
            call.exec.fuel().interrupt();
            let flow = task::go_on(call, Waiter { answer: None });
            settle(call, Ok(flow))
        }
        Err(Raise::NeedMemory(_)) => {
            call.want_collection();
            Ok(Settled::Again)
        }
        Err(raise) => Err(call.error(raise)),
    }
}
