//! JSON into a script and out of it: what comes back is what went in.

use std::cell::OnceCell;
use std::thread_local;
use std::time::Duration;

use goop2::script::Runner;
use goop2::vm::{Entry, Limits, MAX_JSON_FIELDS, MAX_JSON_VALUES, MAX_RESULT_DEPTH, Outcome};
use serde_json::{Map, Number, Value};

use crate::choices::Choices;
use crate::sandbox::{runner, thread_time};

/// Reads a text and writes it, and compares a document with its own text read again.
const SCRIPT: &str = r"
function handle(args)
    local fine, value = pcall(goop.json.decode, args)
    if not fine then return 'not read: ' .. value end
    local fine, text = pcall(goop.json.encode, value)
    if not fine then return 'not written: ' .. text end
    return 'text: ' .. text
end

local function same(a, b)
    if type(a) ~= 'table' or type(b) ~= 'table' then return a == b end
    for k, v in pairs(a) do if not same(v, b[k]) then return false end end
    for k in pairs(b) do if a[k] == nil then return false end end
    return true
end

function call(request)
    local value = request.params
    local text = goop.json.encode(value)
    return { text = text, same = same(value, goop.json.decode(text)), value = value }
end
";

const LIMITS: Limits = Limits { time: Duration::from_millis(2_000), memory_bytes: 10 * 1024 * 1024 };

/// The most processor time for a text of some kilobytes.
const MAX_TIME: Duration = Duration::from_secs(1);

thread_local! {
    static RUNNER: OnceCell<Runner> = const { OnceCell::new() };
}

fn run(entry: Entry) -> Result<Outcome, goop2::vm::RunError> {
    RUNNER.with(|cell| {
        let runner = cell.get_or_init(|| runner(SCRIPT.as_bytes(), LIMITS).expect("it loads"));
        let before = thread_time();
        let (result, stats) = runner.run(entry);
        let took = thread_time().saturating_sub(before);
        assert!(took < MAX_TIME, "it took {took:?}");
        assert!(
            stats.peak_memory_bytes <= LIMITS.memory_bytes * 3,
            "it held {} bytes",
            stats.peak_memory_bytes
        );
        result
    })
}

/// Reads `text` and writes what it says.
///
/// # Panics
/// When that is another document, or refused without a reason.
pub fn check_text(text: &str) {
    let reply = match run(Entry::Handle(text.to_owned())) {
        Ok(Outcome::Reply(Some(reply))) => String::from_utf8(reply).expect("JSON is UTF-8"),
        // Documents that need more than there is.
        Err(error) if matches!(error.kind(), "memory" | "timeout" | "limit") => return,
        other => panic!("{other:?}"),
    };
    let parsed: Result<Value, _> = serde_json::from_str(text);
    if let Some(written) = reply.strip_prefix("text: ") {
        let expected = normal(parsed.expect("what is no JSON was read"));
        let written: Value = serde_json::from_str(written).expect("what is written is JSON");
        assert!(equal(&expected, &written), "{expected} became {written}");
    } else if let Ok(document) = parsed {
        assert!(may_be_refused(&document), "{reply}");
    } else {
        assert!(reply.starts_with("not read: "), "{reply}");
    }
}

/// Gives `document` to a data function, which writes and reads it.
///
/// # Panics
/// When it is another one afterwards, or refused without a reason.
pub fn check_document(document: Value) {
    match run(Entry::Call(document.clone())) {
        Ok(Outcome::Result(result)) => {
            assert_eq!(result["same"], true, "{document}");
            let expected = normal(document);
            let null = Value::Null;
            let value = result.get("value").unwrap_or(&null);
            assert!(equal(&expected, value), "{expected} became {value}");
            let text: Value = serde_json::from_str(result["text"].as_str().expect("a text")).expect("JSON");
            assert!(equal(&expected, &text), "{expected} was written as {text}");
        }
        Err(error) if matches!(error.kind(), "memory" | "timeout" | "limit" | "runtime") => {
            assert!(error.kind() != "runtime" || may_be_refused(&document), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

/// The document as Lua can hold it: no fields that are null, lists that end at their last value.
fn normal(document: Value) -> Value {
    match document {
        Value::Array(items) => {
            let was_empty = items.is_empty();
            let mut items: Vec<Value> = items.into_iter().map(normal).collect();
            while items.last() == Some(&Value::Null) {
                items.pop();
            }
            if items.is_empty() && !was_empty { Value::Object(Map::new()) } else { Value::Array(items) }
        }
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, field)| (name, normal(field)));
            Value::Object(fields.filter(|(_, field)| !field.is_null()).collect())
        }
        other => other,
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a == b,
            _ => a.as_f64() == b.as_f64(),
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Whether the documentation lets a script refuse `document`: lists with holes, too deep, too many values.
fn may_be_refused(document: &Value) -> bool {
    fn look(value: &Value, depth: usize, values: &mut usize) -> bool {
        *values += 1;
        // A level is kept for the result around the document.
        let too_deep = depth + 1 >= MAX_RESULT_DEPTH;
        match value {
            Value::Array(items) => {
                too_deep || items.iter().any(|item| item.is_null() || look(item, depth + 1, values))
            }
            Value::Object(fields) => {
                too_deep
                    || fields.len() > MAX_JSON_FIELDS
                    || fields.values().any(|field| look(field, depth + 1, values))
            }
            _ => false,
        }
    }
    let mut values = 0;
    look(document, 1, &mut values) || values >= MAX_JSON_VALUES / 2
}

/// The document that `data` stands for.
pub fn document(data: &[u8]) -> Value {
    value(&mut Choices::new(data), 0)
}

fn value(choices: &mut Choices<'_>, depth: usize) -> Value {
    const NUMBERS: &[f64] =
        &[0.5, -0.0, 1e15, 1e16, 9007199254740992.0, 9007199254740994.0, 1e300, 5e-324, -1e-7];
    const INTEGERS: &[i64] =
        &[0, -1, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1, i64::MAX, i64::MIN, i64::MAX - 1];
    match choices.below(10) {
        0 => Value::Null,
        1 => Value::Bool(choices.below(2) == 1),
        2 => Value::from(*choices.pick(INTEGERS)),
        3 => Number::from_f64(*choices.pick(NUMBERS)).map_or(Value::Null, Value::Number),
        4 => Value::from(choices.word()),
        5 => Number::from_f64(f64::from_bits(choices.word())).map_or(Value::Null, Value::Number),
        6 => Value::String(String::from_utf8_lossy(choices.bytes(40)).into_owned()),
        7 | 8 if depth < 70 => (0..choices.below(6)).map(|_| value(choices, depth + 1)).collect(),
        _ if depth < 70 => {
            let field = |choices: &mut Choices<'_>| String::from_utf8_lossy(choices.bytes(6)).into_owned();
            (0..choices.below(6)).map(|_| (field(choices), value(choices, depth + 1))).collect()
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ordinary_documents_come_back() {
        check_document(json!({"a": [1, 2.5, "x", true], "b": {}, "c": [], "d": null, "e": [[1], {"f": -1}]}));
        for text in
            ["[1,2,{\"a\":[]}]", "null", "1e2", "\"\\ud83d\\ude00\"", "[null]", "[1,null,2]", "{", "nan"]
        {
            check_text(text);
        }
    }

    #[test]
    fn a_change_is_seen() {
        assert!(equal(&json!({"a": 1.0}), &json!({"a": 1})));
        for (a, b) in
            [(json!([]), json!({})), (json!([1]), json!([1, 1])), (json!({"a": 1}), json!({"b": 1}))]
        {
            assert!(!equal(&a, &b), "{a} {b}");
        }
    }
}
