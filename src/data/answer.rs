//! The answer line, and values on their way into it.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::store::{Rows, SqlValue};

/// What a request is answered with when it worked: the fields beside `ok`.
#[derive(Debug)]
pub(super) struct Answer(Map<String, Value>);

impl Answer {
    /// An answer with `data`.
    pub(super) fn data(data: Value) -> Self {
        Self(Map::from_iter([("data".to_owned(), data)]))
    }

    /// The answer to `lua-call`: under the specification's key and the deployed peers' one.
    pub(super) fn result(result: Value) -> Self {
        Self(Map::from_iter([("result".to_owned(), result.clone()), ("data".to_owned(), result)]))
    }

    /// The answer to `lua-list`, likewise.
    pub(super) fn functions(functions: Value) -> Self {
        let data = json!({ "functions": functions.clone() });
        Self(Map::from_iter([("functions".to_owned(), functions), ("data".to_owned(), data)]))
    }
}

/// The answer's object: `ok` first, so that whoever reads along sees first what matters.
#[derive(Serialize)]
struct Line {
    ok: bool,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

/// The whole answer as one line.
pub(super) fn line(outcome: Result<Answer, String>) -> Vec<u8> {
    let line = match outcome {
        Ok(Answer(fields)) => Line { ok: true, fields },
        Err(error) => {
            Line { ok: false, fields: Map::from_iter([("error".to_owned(), Value::String(error))]) }
        }
    };
    // An object with texts as keys always has a JSON form.
    let mut line = serde_json::to_vec(&line).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Rows as an array of objects.
pub(super) fn rows_as_json(rows: Rows) -> Value {
    let columns = rows.columns;
    let object =
        |row: Vec<SqlValue>| columns.iter().cloned().zip(row.into_iter().map(value_as_json)).collect();
    Value::Array(rows.rows.into_iter().map(object).map(Value::Object).collect())
}

/// JSON has no bytes and no infinity: blobs are base64, as in deployed peers, and what is not a
/// finite number is null.
fn value_as_json(value: SqlValue) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(number) => json!(number),
        SqlValue::Real(number) => json!(number),
        SqlValue::Text(text) => Value::String(text),
        SqlValue::Blob(bytes) => Value::String(base64(&bytes)),
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut bits = 0u32;
        for position in 0..3 {
            bits = bits << 8 | u32::from(group.get(position).copied().unwrap_or(0));
        }
        for position in 0..4 {
            let index = (bits >> (18 - 6 * position) & 63) as usize;
            let letter = LETTERS.get(index).copied().unwrap_or(b'=');
            text.push(if position > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_its_standard() {
        let expected = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{7ff}", "378="),
        ];
        for (bytes, text) in expected {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn what_json_cannot_say_is_null() {
        assert_eq!(value_as_json(SqlValue::Real(f64::INFINITY)), Value::Null);
        assert_eq!(value_as_json(SqlValue::Real(0.5)), json!(0.5));
    }
}
