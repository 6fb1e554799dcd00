//! `goop.json`: `encode` and `decode`.
//!
//! Text to a tree and back is serde_json's work; this adds the bounds and the errors. Both run in
//! one turn: a document has at most a megabyte, which takes some milliseconds, charged for.

use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome, Raise};
use crate::vm::{MAX_RESULT_BYTES, json_to_value, value_to_json};

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
    call.ask_memory(tree_bytes(text))?;
    let json =
        serde_json::from_slice(text).map_err(|error| Raise::Message(format!("goop.json.decode: {error}")))?;
    let value = json_to_value(call.ctx, &call.shared.budget, &json).map_err(|raise| match raise {
        Raise::Message(problem) => Raise::Message(format!("goop.json.decode: {problem}")),
        other => other,
    })?;
    call.give(value)
}

/// What the tree of a JSON text may take outside the VM, in bytes.
///
/// A megabyte of `{"":0},` makes a hundred: serde_json gives each object that is not empty room
/// for eleven fields.
fn tree_bytes(text: &[u8]) -> usize {
    const OBJECT: usize = 640;
    const ARRAY: usize = 128;
    /// An entry of a list that doubles as it grows, or of an object.
    const ENTRY: usize = 64;
    let (mut bytes, mut in_string, mut escaped) = (text.len(), false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' => bytes += OBJECT,
            b'[' => bytes += ARRAY,
            b',' => bytes += ENTRY,
            _ => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_small_objects_is_known_to_be_large() {
        let objects = format!("[{}0]", r#"{"":0},"#.repeat(100_000));
        assert!(tree_bytes(objects.as_bytes()) > 64_000_000);
        let text = format!(r#"["{}\"{{[,"]"#, "{[,".repeat(1_000));
        assert!(tree_bytes(text.as_bytes()) < text.len() + 200, "what is inside a text makes no tree");
    }
}
