//! The natives that programs keep their mark with (see [`crate::vm::places`]).
//!
//! Most functions put their caller's mark back by themselves. Where what they return ends in
//! a call with any number of values, a native does it behind that call.

use piccolo::{Function, Value};

use crate::vm::call::Call;
use crate::vm::mark::{NOWHERE, set_mark};
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
    let callee = call.value(2);
    let function = piccolo::meta_ops::call(call.ctx, callee).map_err(Raise::NotCallable)?;
    put_back(call);
    // What `__call` gives puts the value in front by itself.
    call.stack.drain(..2);
    Ok(Flow::Call { function, then: None })
}

fn leave_with<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    put_back(call);
    call.stack.drain(..1);
    Ok(Flow::Return)
}

fn put_back(call: &Call<'_, '_>) {
    let mark = if let Value::Integer(mark) = call.value(1) { mark } else { NOWHERE };
    set_mark(call.ctx, call.shared, mark);
}
