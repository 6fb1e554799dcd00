//! Natives that take more than one turn.
//!
//! A native that may work for long, calls functions of the script or waits for an answer goes on
//! as a task: an object with one method that does a bounded piece of work. What the VM wants of
//! such a continuation, and the second try after a collection, is written once, here.

use std::pin::Pin;
use std::rc::Rc;

use ottavino_gc_arena::Collect;
use piccolo::{BoxSequence, Context, Error, Execution, Function, Sequence, SequencePoll, Stack, Value};

use crate::vm::call::{Call, Shared};
use crate::vm::native::{Flow, Raise};

/// The rest of a native's work.
pub(crate) trait Task<'gc>: Collect {
    /// Does a bounded piece of the work.
    ///
    /// After [`Raise::NeedMemory`] it is called once more, when garbage has been collected, and
    /// so it must have done nothing yet that it would then do twice.
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>>;
}

/// What a task does after a turn.
pub(crate) enum Turn<'gc> {
    /// Go on in the next turn.
    Pause,
    /// Call `function` with what lies on the stack from `bottom` on; what it returns will lie
    /// there in the next turn.
    Call { bottom: usize, function: Function<'gc> },
    /// The stack holds the results.
    Return,
}

/// Goes on with `task` in the place of the native of `call`.
pub(crate) fn go_on<'gc>(call: &Call<'gc, '_>, task: impl Task<'gc> + Unpin + 'gc) -> Flow<'gc> {
    Flow::Continue(sequence(call, task))
}

/// The sequence that does the rest of `task` in the place of the native of `call`.
pub(crate) fn sequence<'gc>(call: &Call<'gc, '_>, task: impl Task<'gc> + Unpin + 'gc) -> BoxSequence<'gc> {
    let running = Running { task, shared: call.shared.clone(), name: call.name, retried: false };
    BoxSequence::new(&call.ctx, running)
}

#[derive(Collect)]
#[collect(no_drop)]
struct Running<T> {
    task: T,
    #[collect(require_static)]
    shared: Rc<Shared>,
    name: &'static str,
    /// Whether a collection has been tried for what is to be done next.
    retried: bool,
}

impl<'gc, T: Task<'gc> + Unpin> Sequence<'gc> for Running<T> {
    fn poll(
        mut self: Pin<&mut Self>,
        ctx: Context<'gc>,
        mut exec: Execution<'gc, '_>,
        stack: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        let this = &mut *self;
        exec.fuel().consume(1);
        let shared = &this.shared;
        let mut call = Call { ctx, exec, stack, shared, name: this.name, upvalue: Value::Nil };
        match this.task.turn(&mut call) {
            Err(Raise::NeedMemory(_)) if !this.retried => {
                this.retried = true;
                call.want_collection();
                Ok(SequencePoll::Pending)
            }
            Err(raise) => Err(call.error(raise)),
            Ok(turn) => {
                this.retried = false;
                Ok(match turn {
                    Turn::Pause => SequencePoll::Pending,
                    Turn::Call { bottom, function } => SequencePoll::Call { bottom, function },
                    Turn::Return => SequencePoll::Return,
                })
            }
        }
    }
}
