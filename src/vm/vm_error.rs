//! The VM's own runtime errors in reference Lua's words.
//!
//! The VM says "could not add values of type nil and number"; authors know, search for and find
//! "attempt to perform arithmetic on a nil value". The translation is made where an error
//! reaches a script (`pcall`) or its owner (the end of the invocation), and only here.

use std::rc::Rc;

use piccolo::closure::UpValueState;
use piccolo::compiler::LineNumber;
use piccolo::meta_ops::MetaOperatorError;
use piccolo::thread::VMError;
use piccolo::{Context, Error, MetaMethod, RuntimeError, String as LuaString, TypeError, Value};

use crate::vm::call::Shared;
use crate::vm::error::{Position, RunError};
use crate::vm::limits::MAX_ERROR_BYTES;
use crate::vm::stdlib::text::number_text;

/// The value that `pcall` gives for an error: the raised value, or the text of a VM error with
/// the line that the script noted last.
pub(crate) fn error_value<'gc>(ctx: Context<'gc>, shared: &Shared, error: &Error<'gc>) -> Value<'gc> {
    let error = match error {
        Error::Lua(error) => return error.0,
        Error::Runtime(error) => error,
    };
    let message = match noted_position(ctx, shared) {
        Some(at) => format!("{at}: {}", vm_message(error)),
        None => vm_message(error),
    };
    LuaString::from_slice(&ctx, message.as_bytes()).into()
}

/// Where the script is, by its own notes.
fn noted_position<'gc>(ctx: Context<'gc>, shared: &Shared) -> Option<Position> {
    let line = shared.line.borrow();
    let reader = ctx.fetch(line.as_ref()?);
    let upvalue = reader.upvalues().first()?;
    match upvalue.get() {
        UpValueState::Closed(Value::Integer(line)) if line > 0 => {
            let script = reader.prototype().chunk_name.display_lossy().to_string();
            Some(Position { script, line: line.unsigned_abs() })
        }
        _ => None,
    }
}

/// Notes that the script is at `line` (counted from 0) again, after an error ended the functions
/// that would have put their caller's line back.
pub(crate) fn note_line(ctx: Context<'_>, shared: &Shared, line: LineNumber) {
    if let Some(reader) = shared.line.borrow().as_ref()
        && let Some(upvalue) = ctx.fetch(reader).upvalues().first()
        && let UpValueState::Closed(_) = upvalue.get()
    {
        let line = i64::try_from(line.0).unwrap_or(i64::MAX).saturating_add(1);
        upvalue.set(&ctx, UpValueState::Closed(Value::Integer(line)));
    }
}

/// An error that nobody caught, as the end of the invocation.
pub(crate) fn run_error<'gc>(ctx: Context<'gc>, shared: &Rc<Shared>, error: &Error<'gc>) -> RunError {
    let value = error_value(ctx, shared, error);
    let chosen = chosen_text(shared, value);
    let message = match value {
        Value::String(text) => shortened(text.as_bytes()),
        value => match number_text(value) {
            Some(text) => text,
            None => format!("(error object is a {} value)", value.type_name()),
        },
    };
    let at = position_of(&message);
    RunError::Script { message, chosen, at }
}

/// The text that the script passed to `error`, if `value` is what `error` made of it.
fn chosen_text(shared: &Shared, value: Value<'_>) -> Option<String> {
    let chosen = shared.chosen.borrow();
    let chosen = chosen.as_ref()?;
    match value {
        Value::String(text) if text.as_bytes() == chosen.positioned => Some(shortened(&chosen.text)),
        _ => None,
    }
}

/// At most [`MAX_ERROR_BYTES`] of a text that a script made, as UTF-8.
fn shortened(text: &[u8]) -> String {
    let Some(start) = text.get(..MAX_ERROR_BYTES) else {
        return String::from_utf8_lossy(text).into_owned();
    };
    format!("{}...", String::from_utf8_lossy(start).trim_end_matches(char::REPLACEMENT_CHARACTER))
}

/// Reads `file.lua:14: ` back from the head of a message.
fn position_of(message: &str) -> Option<Position> {
    let (script, rest) = message.split_once(':')?;
    let (line, _) = rest.split_once(": ")?;
    if script.contains(char::is_whitespace) {
        return None;
    }
    Some(Position { script: script.to_owned(), line: line.parse().ok()? })
}

fn vm_message(error: &RuntimeError) -> String {
    if let Some(error) = error.downcast::<VMError>() {
        return match error {
            VMError::OperatorError(error) => operator_message(error),
            VMError::BadCall(error) => call_message(&error.to_string()),
            VMError::BadForLoopPrep(initial, _) if *initial != "number" => {
                "'for' initial value must be a number".to_owned()
            }
            VMError::BadForLoopPrep(..) => "'for' step must be a number".to_owned(),
            VMError::BadForLoop(..) => "'for' limit must be a number".to_owned(),
            other => other.to_string(),
        };
    }
    if let Some(error) = error.downcast::<MetaOperatorError>() {
        return operator_message(error);
    }
    if let Some(error) = error.downcast::<TypeError>() {
        return format!("{} expected, got {}", error.expected, error.found);
    }
    error.to_string()
}

/// The VM keeps the type it could not call to itself, but its text ends in `a TYPE value`.
fn call_message(text: &str) -> String {
    let found = text.rsplit_once(" a ").and_then(|(_, rest)| rest.strip_suffix(" value"));
    format!("attempt to call a {} value", found.unwrap_or("non-function"))
}

fn operator_message(error: &MetaOperatorError) -> String {
    match error {
        MetaOperatorError::Call(method, error) => {
            format!("{} (metamethod '{}')", call_message(&error.to_string()), method.name())
        }
        MetaOperatorError::Unary(method, found) => match method {
            MetaMethod::Index | MetaMethod::NewIndex => format!("attempt to index a {found} value"),
            MetaMethod::Len => format!("attempt to get length of a {found} value"),
            MetaMethod::Call => format!("attempt to call a {found} value"),
            _ => format!("attempt to perform arithmetic on a {found} value"),
        },
        MetaOperatorError::Binary(method, left, right) => binary_message(*method, left, right),
        MetaOperatorError::IndexKeyError(error) => match error {
            piccolo::table::InvalidTableKey::IsNaN => "table index is NaN".to_owned(),
            piccolo::table::InvalidTableKey::IsNil => "table index is nil".to_owned(),
        },
        MetaOperatorError::ConcatOverflow => "string length overflow".to_owned(),
    }
}

fn binary_message(method: MetaMethod, left: &str, right: &str) -> String {
    match method {
        MetaMethod::Lt | MetaMethod::Le if left == right => {
            format!("attempt to compare two {left} values")
        }
        MetaMethod::Lt | MetaMethod::Le => format!("attempt to compare {left} with {right}"),
        MetaMethod::IDiv if left == "number" && right == "number" => "attempt to divide by zero".to_owned(),
        _ => format!("attempt to perform arithmetic on a {} value", culprit(left, right)),
    }
}

/// The operand to blame: reference Lua names the first that is no number.
pub(crate) fn culprit<'a>(left: &'a str, right: &'a str) -> &'a str {
    let numeric = |found: &str| found == "number" || found == "string";
    if !numeric(left) || (numeric(right) && right == "number") { left } else { right }
}
