//! Access to the mark of a running program: where it is (see [`super::places`]).
//!
//! The mark is a closed upvalue of the program's functions. A function that only returns it is
//! kept, because that is the one way to an upvalue from outside.

use piccolo::closure::{UpValue, UpValueState};
use piccolo::{Closure, Context, Value};

use super::call::Shared;

/// The mark of a program that is nowhere, as before its first statement.
pub(crate) const NOWHERE: i64 = 0;

/// The program's mark.
pub(crate) fn mark(ctx: Context<'_>, shared: &Shared) -> i64 {
    match mark_upvalue(ctx, shared).map(UpValue::get) {
        Some(UpValueState::Closed(Value::Integer(mark))) => mark,
        _ => NOWHERE,
    }
}

/// Puts the mark back to one it had before, when an error or a tail call has ended the functions
/// that would have done so.
pub(crate) fn set_mark(ctx: Context<'_>, shared: &Shared, mark: i64) {
    if let Some(upvalue) = mark_upvalue(ctx, shared)
        && let UpValueState::Closed(_) = upvalue.get()
    {
        upvalue.set(&ctx, UpValueState::Closed(Value::Integer(mark)));
    }
}

/// The variable that holds the mark, which all functions of the program share.
pub(crate) fn mark_upvalue<'gc>(ctx: Context<'gc>, shared: &Shared) -> Option<UpValue<'gc>> {
    let mark = shared.mark.borrow();
    let reader: Closure<'gc> = ctx.fetch(mark.as_ref()?);
    reader.upvalues().first().copied()
}
