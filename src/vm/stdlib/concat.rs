//! The `..` operator, as the native that rewritten programs call.
//!
//! All operands of a chain come in one call, so that the usual case, strings and numbers, is one
//! allocation of the right size, asked for before it is made. Operands with a `__concat`
//! metamethod are joined from the right, two at a time, as in reference Lua.

use ottavino_gc_arena::Collect;
use piccolo::{Function, MetaMethod, String as LuaString, Value};

use super::metamethod::metamethod;
use super::text::{MAX_NUMBER_BYTES, append_number};
use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome, Raise};
use crate::vm::task::{Task, Turn, go_on};

/// Fuel for a call; each operand and each byte is charged besides.
const CALL: i32 = 2;

pub(super) static CONCAT: Native = Native { name: "..", fuel: CALL, run: concat };

fn concat<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    match join(call, 0)? {
        Some(joined) => call.give(joined),
        None => Ok(go_on(call, PairwiseConcat { expected: None })),
    }
}

fn is_joinable(value: Value<'_>) -> bool {
    matches!(value, Value::String(_) | Value::Integer(_) | Value::Number(_))
}

/// Joins what lies on the stack from `first` on; nothing when that is not all strings and numbers.
fn join<'gc>(call: &mut Call<'gc, '_>, first: usize) -> Result<Option<LuaString<'gc>>, Raise<'gc>> {
    let operands = &call.stack[first..];
    let mut bytes = 0_usize;
    for operand in operands {
        bytes = bytes.saturating_add(match operand {
            Value::String(text) => text.as_bytes().len(),
            Value::Integer(_) | Value::Number(_) => MAX_NUMBER_BYTES,
            _ => return Ok(None),
        });
    }
    let count = operands.len();
    call.ask_string(bytes)?;
    call.charge_units(count);
    Ok(Some(call.build_string(bytes, |joined| {
        for operand in &call.stack[first..] {
            match operand {
                Value::String(text) => joined.extend_from_slice(text.as_bytes()),
                value => append_number(*value, joined),
            }
        }
    })))
}

/// Joins operands of which some have metamethods.
#[derive(Collect)]
#[collect(require_static)]
struct PairwiseConcat {
    /// The number of operands there are to be after the metamethod that was called: it may have
    /// returned none or several values, and one counts.
    expected: Option<usize>,
}

impl<'gc> Task<'gc> for PairwiseConcat {
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        if let Some(expected) = self.expected.take() {
            call.stack.resize(expected);
        }
        match join_from_the_right(call)? {
            None => Ok(Turn::Return),
            Some((bottom, function)) => {
                self.expected = Some(bottom + 1);
                Ok(Turn::Call { bottom, function })
            }
        }
    }
}

/// Goes on until one value is left or a metamethod must be called with the last two.
fn join_from_the_right<'gc>(call: &mut Call<'gc, '_>) -> Result<Option<(usize, Function<'gc>)>, Raise<'gc>> {
    loop {
        let count = call.count();
        if count < 2 {
            return Ok(None);
        }
        call.charge_units(1);
        let joinable = (0..count).rev().take_while(|index| is_joinable(call.stack.get(*index))).count();
        if joinable >= 2
            && let Some(joined) = join(call, count - joinable)?
        {
            call.stack.resize(count - joinable);
            call.stack.push_back(joined.into());
            continue;
        }
        let (left, right) = (call.stack.get(count - 2), call.stack.get(count - 1));
        let handler = metamethod(call.ctx, MetaMethod::Concat, [left, right])?;
        let Some(function) = handler else {
            let (culprit, at) = if is_joinable(left) { (right, count - 1) } else { (left, count - 2) };
            let found: Vec<_> = (0..=at).map(|index| call.stack.get(index).type_name()).collect();
            let message = format!("attempt to concatenate a {} value", culprit.type_name());
            return Err(call.operand_error(MetaMethod::Concat, &found, Some(at), &message));
        };
        return Ok(Some((count - 2, function)));
    }
}
