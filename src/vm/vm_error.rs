//! The VM's own runtime errors in reference Lua's words.
//!
//! The VM says "could not add values of type nil and number"; authors know, search for and find
//! "attempt to perform arithmetic on a nil value". The translation is made where an error
//! reaches a script (`pcall`) or its owner (the end of the invocation), and only here.

use std::rc::Rc;

use piccolo::meta_ops::{MetaCallError, MetaOperatorError};
use piccolo::table::InvalidTableKey;
use piccolo::thread::VMError;
use piccolo::{Context, Error, MetaMethod, RuntimeError, String as LuaString, TypeError, Value};

use crate::vm::call::Shared;
use crate::vm::error::{Frame, Position, RunError};
use crate::vm::limits::MAX_ERROR_BYTES;
use crate::vm::mark::mark;
use crate::vm::places::Kind;
use crate::vm::stdlib::text::number_text;

/// The value that `pcall` gives for an error: the raised value, or the text of a VM error with
/// the line that the program's mark tells.
pub(crate) fn error_value<'gc>(ctx: Context<'gc>, shared: &Shared, error: &Error<'gc>) -> Value<'gc> {
    let error = match error {
        Error::Lua(error) => return error.0,
        Error::Runtime(error) => error,
    };
    let mark = mark(ctx, shared);
    let places = &shared.places;
    let mut failure = Failure::of(error);
    // Of a table without `__call`, the VM tells the type of what it found in its metatable.
    let type_of_global = |name: &[u8]| {
        let name = LuaString::from_slice(&ctx, name);
        ctx.globals().get_value(ctx, name).type_name()
    };
    if failure.is_call_of_nil() && places.calls_table(mark, type_of_global) {
        failure = Failure::of_call("table");
    }
    let name = match (failure.kind, failure.blamed) {
        (Some(kind), Some(at)) => places.name_of(mark, kind, &failure.found, at),
        _ => String::new(),
    };
    let line = match failure.kind {
        Some(kind) => places.line_of(mark, kind, &failure.found),
        None => places.caller_line(mark, 0),
    };
    let at = line.map(|line| format!("{}:{line}: ", places.script)).unwrap_or_default();
    let message = format!("{at}{}{name}", failure.message);
    LuaString::from_slice(&ctx, message.as_bytes()).into()
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
    let innermost = at.as_ref().filter(|at| at.script == shared.places.script).map(|at| at.line);
    let traceback = traceback(ctx, shared, innermost);
    RunError::Script { message, chosen, at, traceback }
}

fn traceback(ctx: Context<'_>, shared: &Shared, innermost: Option<u64>) -> Vec<Frame> {
    let places = &shared.places;
    let frames = places.traceback(mark(ctx, shared), innermost).into_iter();
    frames
        .map(|(function, line)| Frame { at: Position { script: places.script.clone(), line }, function })
        .collect()
}

/// The text that the script passed to `error`, if `value` is what `error` made of it.
fn chosen_text(shared: &Shared, value: Value<'_>) -> Option<String> {
    let Value::String(raised) = value else { return None };
    shared.chosen.borrow().text_of(raised.as_bytes()).map(shortened)
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

/// What later versions of Lua say of a fraction in an operation on bits.
const NO_INTEGER: &str = "number has no integer representation";

/// What failed in the VM.
struct Failure<'a> {
    kind: Option<Kind>,
    /// The types of the operands, as far as the VM tells them.
    found: Vec<&'a str>,
    /// The operand that the message is about.
    blamed: Option<usize>,
    message: String,
}

impl<'a> Failure<'a> {
    fn of(error: &'a RuntimeError) -> Self {
        if let Some(error) = error.downcast::<VMError>() {
            return match error {
                VMError::OperatorError(error) => Self::of_operator(error),
                VMError::BadCall(error) => Self::of_call(called_type(&error.to_string())),
                VMError::BadForLoopPrep(initial, _) if *initial != "number" => {
                    Self::plain(Kind::Loop, "'for' initial value must be a number")
                }
                VMError::BadForLoopPrep(..) => Self::plain(Kind::Loop, "'for' step must be a number"),
                VMError::BadForLoop(..) => Self::plain(Kind::Loop, "'for' limit must be a number"),
                other => Self::unknown(other.to_string()),
            };
        }
        if let Some(error) = error.downcast::<MetaOperatorError>() {
            return Self::of_operator(error);
        }
        // Only what the VM puts around the `__call` of a table fails so.
        if error.downcast::<MetaCallError>().is_some() {
            return Self::of_call("table");
        }
        if let Some(error) = error.downcast::<TypeError>() {
            return Self::unknown(format!("{} expected, got {}", error.expected, error.found));
        }
        Self::unknown(error.to_string())
    }

    fn unknown(message: String) -> Self {
        Self { kind: None, found: Vec::new(), blamed: None, message }
    }

    fn plain(kind: Kind, message: &str) -> Self {
        Self { kind: Some(kind), ..Self::unknown(message.to_owned()) }
    }

    fn of_call(found: &'static str) -> Self {
        Self {
            kind: Some(Kind::Operator(MetaMethod::Call)),
            found: vec![found],
            blamed: Some(0),
            message: format!("attempt to call a {found} value"),
        }
    }

    fn is_call_of_nil(&self) -> bool {
        self.kind == Some(Kind::Operator(MetaMethod::Call)) && self.found == ["nil"]
    }

    fn of_operator(error: &'a MetaOperatorError) -> Self {
        match error {
            MetaOperatorError::Call(method, error) => {
                let found = called_type(&error.to_string());
                let message = match method {
                    MetaMethod::Index | MetaMethod::NewIndex => format!("attempt to index a {found} value"),
                    _ => format!("attempt to call a {found} value (metamethod '{}')", method.name()),
                };
                Self::plain(Kind::Operator(*method), &message)
            }
            MetaOperatorError::Unary(MetaMethod::BNot, "number") => {
                Self::plain(Kind::Operator(MetaMethod::BNot), NO_INTEGER)
            }
            MetaOperatorError::Unary(method, found) => {
                let what = match method {
                    MetaMethod::Index | MetaMethod::NewIndex => "index",
                    MetaMethod::Len => "get length of",
                    MetaMethod::Call => "call",
                    _ => "perform arithmetic on",
                };
                Self {
                    kind: Some(Kind::Operator(*method)),
                    found: vec![found],
                    blamed: Some(0),
                    message: format!("attempt to {what} a {found} value"),
                }
            }
            MetaOperatorError::Binary(method, left, right) => Self::of_binary(*method, left, right),
            MetaOperatorError::IndexKeyError(InvalidTableKey::IsNaN) => {
                Self::plain(Kind::Key, "table index is NaN")
            }
            MetaOperatorError::IndexKeyError(InvalidTableKey::IsNil) => {
                Self::plain(Kind::Key, "table index is nil")
            }
            MetaOperatorError::ConcatOverflow => Self::unknown("string length overflow".to_owned()),
        }
    }

    fn of_binary(method: MetaMethod, left: &'a str, right: &'a str) -> Self {
        let (blamed, message) = match method {
            MetaMethod::Lt | MetaMethod::Le => (None, comparison_message(left, right)),
            MetaMethod::IDiv if left == "number" && right == "number" => {
                (None, "attempt to divide by zero".to_owned())
            }
            // Numbers fail in operations on bits alone.
            MetaMethod::Shl | MetaMethod::Shr if left == "number" && right == "number" => {
                (None, "attempt to shift a fraction, or by a fraction or a negative number".to_owned())
            }
            _ if left == "number" && right == "number" => (None, NO_INTEGER.to_owned()),
            _ => {
                let at = culprit(left, right);
                let found = if at == 0 { left } else { right };
                (Some(at), format!("attempt to perform arithmetic on a {found} value"))
            }
        };
        Self { kind: Some(Kind::Operator(method)), found: vec![left, right], blamed, message }
    }
}

/// The VM keeps the type it could not call to itself, but its text ends in `a TYPE value`.
fn called_type(text: &str) -> &'static str {
    const TYPES: [&str; 8] =
        ["nil", "boolean", "number", "string", "table", "function", "thread", "userdata"];
    let found = text.rsplit_once(" a ").and_then(|(_, rest)| rest.strip_suffix(" value"));
    let found = TYPES.into_iter().find(|name| found == Some(*name));
    found.unwrap_or("non-function")
}

/// The number of the operand to blame: reference Lua names the first that is no number.
pub(crate) fn culprit(left: &str, right: &str) -> usize {
    let numeric = |found: &str| found == "number" || found == "string";
    usize::from(numeric(left) && !(numeric(right) && right == "number"))
}

/// What is wrong with `<` and the like between values of these types.
pub(crate) fn comparison_message(left: &str, right: &str) -> String {
    if left == right {
        format!("attempt to compare two {left} values")
    } else {
        format!("attempt to compare {left} with {right}")
    }
}
