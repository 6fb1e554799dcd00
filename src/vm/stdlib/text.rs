//! Numbers as text and text as numbers, on values of the VM.

use piccolo::Value;

use super::format;
use super::number::{self, Number};
use crate::vm::call::MAX_NUMERAL_BYTES;
use crate::vm::import_integer;

/// The text of a number as scripts see it (`%.14g`), nothing for other values.
pub(crate) fn number_text(value: Value<'_>) -> Option<String> {
    match value {
        Value::Integer(integer) => Some(format::integer_to_string(integer)),
        Value::Number(float) => Some(format::number_to_string(float)),
        _ => None,
    }
}

/// Longer than the text of any number.
pub(super) const MAX_NUMBER_BYTES: usize = 32;

/// Appends the text of a number, nothing for other values.
pub(super) fn append_number(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Integer(integer) => format::append_integer(integer, out),
        Value::Number(float) => format::append_number(float, out),
        _ => {}
    }
}

/// The number that `text` spells, or nil.
pub(super) fn parse_number<'gc>(text: &[u8]) -> Value<'gc> {
    if text.len() > MAX_NUMERAL_BYTES {
        return Value::Nil;
    }
    as_value(number::to_number(text))
}

/// The integer that `text` spells in `base`, or nil.
pub(super) fn parse_number_in_base<'gc>(text: &[u8], base: u32) -> Value<'gc> {
    if text.len() > MAX_NUMERAL_BYTES {
        return Value::Nil;
    }
    as_value(number::to_number_in_base(text, base))
}

fn as_value<'gc>(number: Option<Number>) -> Value<'gc> {
    match number {
        Some(Number::Integer(integer)) => import_integer(integer),
        Some(Number::Float(float)) => Value::Number(float),
        None => Value::Nil,
    }
}
