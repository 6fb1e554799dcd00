//! `<=` and `>=` as in Lua 5.1, where `a <= b` is `not (b < a)` for values that have `__lt` and no `__le`.
//!
//! The VM does as later versions and does not ask `__lt`. Programs that name only that one call these natives.

use ottavino_gc_arena::Collect;
use piccolo::{Function, MetaMethod, Value};

use super::metamethod::metamethod;
use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome, Raise};
use crate::vm::task::{Task, Turn, go_on};
use crate::vm::vm_error::comparison_message;

/// Fuel for a call; the bytes of texts are charged besides.
const CALL: i32 = 2;

pub(super) static LESS_EQUAL: Native = Native { name: "<=", fuel: CALL, run: less_equal };
/// Its operands have been evaluated in the order of the source.
pub(super) static GREATER_EQUAL: Native = Native { name: ">=", fuel: CALL, run: greater_equal };

fn less_equal<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (left, right) = (call.value(1), call.value(2));
    compare(call, left, right)
}

fn greater_equal<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (left, right) = (call.value(1), call.value(2));
    compare(call, right, left)
}

/// `left <= right`
fn compare<'gc>(call: &mut Call<'gc, '_>, left: Value<'gc>, right: Value<'gc>) -> Outcome<'gc> {
    match (left, right) {
        (Value::Integer(a), Value::Integer(b)) => call.give(a <= b),
        (Value::Number(a), Value::Number(b)) => call.give(a <= b),
        (Value::Integer(a), Value::Number(b)) => call.give(a as f64 <= b),
        (Value::Number(a), Value::Integer(b)) => call.give(a <= b as f64),
        (Value::String(a), Value::String(b)) => {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            call.charge_bytes(a.len().min(b.len()));
            call.give(a <= b)
        }
        _ => {
            let found = [call.value(1).type_name(), call.value(2).type_name()];
            for (method, operands) in [(MetaMethod::Le, [left, right]), (MetaMethod::Lt, [right, left])] {
                if let Some(function) = metamethod(call.ctx, method, operands)? {
                    call.stack.clear();
                    call.stack.extend(operands);
                    let negates = matches!(method, MetaMethod::Lt);
                    return Ok(go_on(call, Ordered { function: Some(function), negates }));
                }
            }
            let message = comparison_message(left.type_name(), right.type_name());
            Err(call.operand_error(MetaMethod::Le, &found, None, &message))
        }
    }
}

/// Calls a metamethod with the two values on the stack; what it returns is an answer of yes or no.
#[derive(Collect)]
#[collect(no_drop)]
struct Ordered<'gc> {
    function: Option<Function<'gc>>,
    negates: bool,
}

impl<'gc> Task<'gc> for Ordered<'gc> {
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        if let Some(function) = self.function.take() {
            return Ok(Turn::Call { bottom: 0, function });
        }
        let answer = call.value(1).to_bool() != self.negates;
        call.give(answer)?;
        Ok(Turn::Return)
    }
}
