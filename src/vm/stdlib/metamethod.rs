//! The metamethods of operators that natives stand in for.

use piccolo::{Context, Function, MetaMethod, Value, meta_ops};

use crate::vm::native::Raise;

/// What is to be called for `method`: the metamethod of the first operand that has it, if one has.
///
/// # Errors
/// When that can't be called.
pub(super) fn metamethod<'gc>(
    ctx: Context<'gc>,
    method: MetaMethod,
    operands: [Value<'gc>; 2],
) -> Result<Option<Function<'gc>>, Raise<'gc>> {
    let handler = operands.into_iter().find_map(|operand| match operand {
        Value::Table(table) => {
            Some(table.metatable()?.get_value(ctx, method)).filter(|handler| !handler.is_nil())
        }
        _ => None,
    });
    let Some(handler) = handler else { return Ok(None) };
    meta_ops::call(ctx, handler).map(Some).map_err(|_| {
        let (found, name) = (handler.type_name(), method.name());
        Raise::Message(format!("attempt to call a {found} value (metamethod '{name}')"))
    })
}
