//! `goop.json`: `encode` and `decode`, and what tables can't say by themselves.
//!
//! | call | gives |
//! |---|---|
//! | `encode(value)` | its JSON text; the fields of objects in the order of their names |
//! | `decode(text)` | its value; null becomes nil, as in deployed peers |
//! | `decode(text, goop.json.null)` | the same with that value for each null, so that none is lost |
//! | `null` | the value that becomes null; it is true in conditions, and equal only to itself |
//! | `array([table])` | the table, or a new one, marked: `[]` while it is empty |
//! | `object([table])` | the table, or a new one, marked: `{}` whatever its keys, numbers included |
//!
//! A table without a mark is an object when it is empty or its keys are text, a list when its keys
//! are 1 to n, and otherwise an error. An array that was decoded is marked when it is empty. The
//! same holds for what a data function returns. Whole numbers have no decimal point; those beyond
//! 2^63 lose digits, as in a browser beyond 2^53.
//!
//! Both directions run in one turn: a document has at most a megabyte, which takes some
//! milliseconds, charged for. A null that `decode` always gives, as some libraries have it, was
//! rejected: `if data.field then` in the scripts of deployed peers would hold for null.

use piccolo::{Table, Value};

use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome, Raise};
use crate::vm::{
    Installer, MAX_RESULT_BYTES, Mark, json_text_to_value, mark_of, null_value, set_mark, value_to_json_text,
};

/// Fuel for a call; bytes are charged besides.
const CALL: i32 = 16;

/// A byte of JSON costs more than a byte of text: it is parsed and becomes values.
const WORK_PER_BYTE: usize = 8;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "goop.json.encode", fuel: CALL, run: encode },
    Native { name: "goop.json.decode", fuel: CALL, run: decode },
    Native { name: "goop.json.array", fuel: CALL, run: |call| marked(call, Mark::List) },
    Native { name: "goop.json.object", fuel: CALL, run: |call| marked(call, Mark::Object) },
];

/// `goop.json.null`.
pub(super) fn null<'gc>(i: &Installer<'gc, '_>) -> Value<'gc> {
    let null = null_value(i.ctx);
    i.close("goop.json.null", null);
    null.into()
}

fn encode<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let value = call.any(1)?;
    let text = value_to_json_text(call.ctx, &call.shared.budget, value, "value")
        .map_err(|raise| named(call.name, raise))?;
    call.charge_bytes(text.len().saturating_mul(WORK_PER_BYTE));
    call.ask_string(text.len())?;
    call.give_buffer(text)
}

fn decode<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let text = call.text(1)?;
    let text = text.as_bytes();
    if text.len() > MAX_RESULT_BYTES {
        return Err(Raise::Message(format!(
            "goop.json.decode: the text has {} bytes; the limit is {MAX_RESULT_BYTES}",
            text.len()
        )));
    }
    call.charge_bytes(text.len().saturating_mul(WORK_PER_BYTE));
    // A byte order mark, which some editors and services put in front.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let null = call.value(2);
    let value = json_text_to_value(call.ctx, &call.shared.budget, text, null)
        .map_err(|raise| named(call.name, raise))?;
    call.give(value)
}

/// A failure of the native `name`.
fn named<'gc>(name: &str, raise: Raise<'gc>) -> Raise<'gc> {
    match raise {
        Raise::Message(problem) => Raise::Message(format!("{name}: {problem}")),
        other => other,
    }
}

fn marked<'gc>(call: &mut Call<'gc, '_>, mark: Mark) -> Outcome<'gc> {
    let table = if call.count() == 0 { Table::new(&call.ctx) } else { call.table(1)? };
    if table == null_value(call.ctx) || (table.metatable().is_some() && mark_of(call.ctx, table).is_none()) {
        return Err(call.bad_argument(1, "the table has a metatable already"));
    }
    set_mark(call.ctx, table, mark);
    call.give(table)
}
