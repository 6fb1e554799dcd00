//! `goop.json`: `encode` and `decode`.
//!
//! Text to a tree and back is serde_json's work; this adds the bounds and the errors. Both run in
//! one turn: a document has at most a megabyte, which takes some milliseconds, charged for.

use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome, Raise};
use crate::vm::{MAX_RESULT_BYTES, json_to_value, json_tree_bytes, value_to_json};

/// Fuel for a call; bytes are charged besides.
const CALL: i32 = 16;

/// A byte of JSON costs more than a byte of text: it is parsed and becomes values.
const WORK_PER_BYTE: usize = 8;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "goop.json.encode", fuel: CALL, run: encode },
    Native { name: "goop.json.decode", fuel: CALL, run: decode },
];

fn encode<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let value = call.any(1)?;
    let json = value_to_json(call.ctx, value, "value")
        .map_err(|problem| Raise::Message(format!("goop.json.encode: {problem}")))?;
    let text =
        serde_json::to_vec(&json).map_err(|error| Raise::Message(format!("goop.json.encode: {error}")))?;
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
    call.ask_memory(json_tree_bytes(text))?;
    let json =
        serde_json::from_slice(text).map_err(|error| Raise::Message(format!("goop.json.decode: {error}")))?;
    let value = json_to_value(call.ctx, &call.shared.budget, &json).map_err(|raise| match raise {
        Raise::Message(problem) => Raise::Message(format!("goop.json.decode: {problem}")),
        other => other,
    })?;
    call.give(value)
}
