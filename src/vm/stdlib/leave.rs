//! The natives that programs keep their mark with (see [`crate::vm::places`]).
//!
//! Most functions put their caller's mark back by themselves. Where what they return ends in
//! a call with any number of values, or calls what may be a native, one of these does it.
//!
//! A native that a function calls last fails at a line of that function, whose frame the tail call
//! has ended. So a native is called under the function's own mark, with a note of the line, and the
//! caller's mark is put back behind it. A function of the script is called under its caller's, and
//! nothing of it stays.

use std::pin::Pin;
use std::rc::Rc;

use ottavino_gc_arena::Collect;
use piccolo::{
    BoxSequence, Context, Error, Execution, Function, MetaMethod, Sequence, SequencePoll, Stack, Table, Value,
};

use crate::vm::call::{Call, Shared};
use crate::vm::mark::{NOWHERE, mark, set_mark};
use crate::vm::native::{Flow, Native, Outcome, Raise};

/// Fuel for a call, on top of what the VM charges.
const CALL: i32 = 2;

/// Learns from a function that returns the mark where it is kept.
pub(super) static TRACK_MARK: Native = Native { name: "track mark", fuel: 0, run: track_mark };
/// `(mark, function, …)`: puts the mark back and makes a tail call.
pub(super) static LEAVE_TO: Native = Native { name: "leave to", fuel: CALL, run: leave_to };
/// `(mark, …)`: puts the mark back and returns the other arguments.
pub(super) static LEAVE_WITH: Native = Native { name: "leave with", fuel: CALL, run: leave_with };

fn track_mark<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    if let Function::Closure(closure) = call.function(1)? {
        *call.shared.mark.borrow_mut() = Some(call.ctx.stash(closure));
    }
    call.give_nothing()
}

fn leave_to<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let after = mark_argument(call);
    let callee = call.value(2);
    let function = match callee {
        Value::Table(table) => call_metamethod(call.ctx, table),
        _ => None,
    };
    // A table that is called is the first argument of what its `__call` is.
    call.stack.drain(..if function.is_some() { 1 } else { 2 });
    let function = match function {
        Some(function) => function,
        None => piccolo::meta_ops::call(call.ctx, callee).map_err(Raise::NotCallable)?,
    };
    let then = match function {
        Function::Callback(_) => Some(stay(call, after)),
        Function::Closure(_) => {
            set_mark(call.ctx, call.shared, after);
            None
        }
    };
    Ok(Flow::Call { function, then })
}

fn leave_with<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    set_mark(call.ctx, call.shared, mark_argument(call));
    call.stack.drain(..1);
    Ok(Flow::Return)
}

fn mark_argument(call: &Call<'_, '_>) -> i64 {
    if let Value::Integer(mark) = call.value(1) { mark } else { NOWHERE }
}

/// The function that is the table's `__call`. What else may be there, the VM follows.
fn call_metamethod<'gc>(ctx: Context<'gc>, table: Table<'gc>) -> Option<Function<'gc>> {
    match table.metatable()?.get_value(ctx, MetaMethod::Call) {
        Value::Function(function) => Some(function),
        _ => None,
    }
}

/// What follows a native that is called for a function that has ended; `after` is the mark then.
fn stay<'gc>(call: &Call<'gc, '_>, after: i64) -> BoxSequence<'gc> {
    let statement = call.shared.places.statement_of_call(mark(call.ctx, call.shared));
    let before = call.shared.tail_call.replace(statement);
    BoxSequence::new(&call.ctx, Stay { after, before, shared: call.shared.clone() })
}

#[derive(Collect)]
#[collect(require_static)]
struct Stay {
    /// The mark of the caller of the function that ended.
    after: i64,
    /// The tail call under way around this one.
    before: Option<u64>,
    shared: Rc<Shared>,
}

impl<'gc> Sequence<'gc> for Stay {
    fn poll(
        self: Pin<&mut Self>,
        ctx: Context<'gc>,
        _: Execution<'gc, '_>,
        _: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        self.shared.tail_call.set(self.before);
        set_mark(ctx, &self.shared, self.after);
        Ok(SequencePoll::Return)
    }

    // The mark stays: it tells where the error was.
    fn error(
        self: Pin<&mut Self>,
        _: Context<'gc>,
        _: Execution<'gc, '_>,
        error: Error<'gc>,
        _: Stack<'gc, '_>,
    ) -> Result<SequencePoll<'gc>, Error<'gc>> {
        self.shared.tail_call.set(self.before);
        Err(error)
    }
}
