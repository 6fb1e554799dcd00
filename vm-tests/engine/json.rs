//! `goop.json`: what comes back as it went in, what is refused, and where the error says it is.

use std::path::Path;

use goop2::script::Runner;
use goop2::vm::{Entry, Outcome, RunError};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::bare_surroundings;

/// What a data function of this body gives for `params`.
fn run(body: &str, params: Json) -> Result<Json, RunError> {
    let source = format!("function call(request) local p, json = request.params, goop.json {body} end");
    let runner = Runner::load(Path::new("j.lua"), source.as_bytes(), bare_surroundings()).unwrap();
    match runner.run(Entry::Call(params)).0? {
        Outcome::Result(json) => Ok(json),
        other => panic!("{other:?}"),
    }
}

fn result(body: &str) -> Json {
    run(body, Json::Null).unwrap_or_else(|error| panic!("{body}: {error}"))
}

/// What `goop.json.encode` makes of an expression, as text.
fn encoded(expression: &str) -> String {
    result(&format!("return json.encode({expression})")).as_str().unwrap().to_owned()
}

fn decode_error(text: &str) -> String {
    let body = "local ok, problem = pcall(json.decode, p) return not ok and problem";
    run(body, json!(text)).unwrap().as_str().unwrap_or_else(|| panic!("{text} was decoded")).to_owned()
}

#[test]
fn tables_say_what_they_are() {
    for (expression, expected) in [
        ("{}", "{}"),
        ("json.array()", "[]"),
        ("json.array({})", "[]"),
        ("json.array({1, 2})", "[1,2]"),
        ("json.object()", "{}"),
        ("json.object({'x', 'y'})", r#"{"1":"x","2":"y"}"#),
        ("json.object({[10] = 1, [-2] = 2, name = 3})", r#"{"-2":2,"10":1,"name":3}"#),
        ("json.object({[1.0] = {}})", r#"{"1":{}}"#),
        ("{list = json.array(), none = json.null}", r#"{"list":[],"none":null}"#),
        ("{1, json.null, 3}", "[1,null,3]"),
        ("{json.null}", "[null]"),
        ("json.null", "null"),
        ("nil", "null"),
        ("json.decode('[]')", "[]"),
        ("json.decode('{}')", "{}"),
        ("json.decode('[[],{}]')", "[[],{}]"),
        ("json.decode('[1,null,3]', json.null)", "[1,null,3]"),
        ("json.decode('[null,null]', false)", "[false,false]"),
        ("json.decode('{\"a\":null}')", "{}"),
        ("{b = 1, a = 2, c = 3}", r#"{"a":2,"b":1,"c":3}"#),
        ("{'\\1\\n\\\"\\\\/é'}", r#"["\u0001\n\"\\/é"]"#),
    ] {
        assert_eq!(encoded(expression), expected, "{expression}");
    }
}

#[test]
fn null_is_one_value_and_a_result_carries_it() {
    assert_eq!(result("return {a = json.null, l = {json.null}}"), json!({"a": null, "l": [null]}));
    assert_eq!(result("return json.array()"), json!([]));
    assert_eq!(result("return json.null == json.decode('null', json.null)"), json!(true));
    assert_eq!(result("return json.null ~= json.array() and json.null ~= {}"), json!(true));
    assert_eq!(result("return json.null and 'true in conditions'"), json!("true in conditions"));
    let body = "return {pcall(setmetatable, json.null, {}), pcall(setmetatable, json.array(), {})}";
    assert_eq!(result(body), json!([false, false, "cannot change a protected metatable"]));
    let body = "local _, problem = pcall(json.array, setmetatable({}, {})) return problem";
    let refused = "bad argument #1 to 'goop.json.array' (the table has a metatable already)";
    assert_eq!(result(body), json!(refused));
    let body = "local _, problem = pcall(json.encode, json.object({[1] = 1, ['1'] = 2})) return problem";
    assert!(result(body).as_str().unwrap().contains("it has the key 1 as a number and as text"));
}

#[test]
fn whole_numbers_stay_whole() {
    for (text, expected) in [
        ("5", "5"),
        ("5.0", "5"),
        ("-9007199254740993", "-9007199254740993"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("1e3", "1000"),
        ("0.1", "0.1"),
        ("1e300", "1e+300"),
        ("5e-324", "5e-324"),
        // Beyond 64 bits a number is a float.
        ("18446744073709551615", "1.8446744073709552e+19"),
    ] {
        let again = run("return json.encode(json.decode(p))", json!(text)).unwrap();
        assert_eq!(again, json!(expected), "{text}");
    }
}

#[test]
fn what_is_no_json_is_refused_at_its_line_and_column() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let many = format!("[{}0]", "0,".repeat(100_000));
    let fields: String = (0..10_001).map(|n| format!("\"{n}\":0,")).collect();
    for (text, expected) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{\"a\": }", "expected value at line 1 column 7"),
        ("[1,\n 2,\n x]", "expected value at line 3 column 2"),
        ("[1] 2", "trailing characters at line 1 column 5"),
        ("NaN", "expected value at line 1 column 1"),
        ("1e999", "number out of range at line 1 column 5"),
        ("\"\\ud800\"", "at line 1 column "),
        (&nested(65), "a value nested deeper than 64 levels at line 1 column 6"),
        (&nested(100_000), "a value nested deeper than 64 levels at line 1 column 6"),
        (&many, "a value of more than 100000 values at line 1 column "),
        (
            &format!("{{{fields}\"x\":0}}"),
            "a value of more than 10000 fields in one object at line 1 column ",
        ),
    ] {
        let found = decode_error(text);
        assert!(found.starts_with("goop.json.decode: ") && found.contains(expected), "{text:.40}: {found}");
    }
    assert_eq!(result(&format!("return #json.encode(json.decode('{}'))", nested(64))), json!(128));
    let body = "local _, problem = pcall(json.decode, '[\"ok\", \"\\255\"]') return problem";
    assert_eq!(result(body), json!("goop.json.decode: invalid unicode code point at line 1 column 9"));
    let body = "local _, problem = pcall(json.decode, (' '):rep(1048577)) return problem";
    assert_eq!(result(body), json!("goop.json.decode: the text has 1048577 bytes; the limit is 1048576"));
}

#[test]
fn what_json_does_not_have_is_refused_at_its_place() {
    for (expression, expected) in [
        ("0 / 0", "nan at value, which"),
        ("{a = {1, 1 / 0}}", "inf at value.a[2], which"),
        ("{print}", "a function at value[1], which"),
        ("{k = '\\255'}", "a string at value.k that is not UTF-8"),
        ("json.object({[true] = 1})", "a table at value that is neither"),
        ("json.object({[0.5] = 1})", "a table at value that is neither"),
        ("{1, nil, 3}", "its list has 2 entries, but the last is number 3"),
        ("('x'):rep(1048576)", "a value of more than 1048576 bytes"),
    ] {
        let body = format!("local _, problem = pcall(json.encode, {expression}) return problem");
        let found = result(&body);
        assert!(found.as_str().unwrap().contains(expected), "{expression}: {found}");
    }
}

/// A tree of this, made first, would take more than all of the script's memory.
#[test]
fn a_document_of_small_objects_needs_no_more_memory_than_its_values() {
    let text = format!("[{}0]", r#"{"id":1},"#.repeat(15_000));
    assert_eq!(run("return #json.decode(p)", json!(text)).unwrap(), json!(15_001));
}

#[test]
fn a_document_that_does_not_fit_ends_the_script_and_nothing_else() {
    let body = "local kept = {} for i = 1, 100 do kept[i] = json.decode(p) end";
    let text = format!("[{}0]", r#"["x"],"#.repeat(30_000));
    let error = run(body, json!(text)).unwrap_err();
    assert_eq!(error.kind(), "memory", "{error}");
}

fn document() -> impl Strategy<Value = Json> {
    let number = prop_oneof![
        any::<i64>().prop_map(Json::from),
        (-1_000_i64..1_000).prop_map(Json::from),
        any::<f64>().prop_filter("JSON has no other", |float| float.is_finite()).prop_map(Json::from),
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        number,
        any::<String>().prop_map(Json::from),
        Just(json!([])),
        Just(json!({})),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Json::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|fields| Json::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Floats and integers of one value are one number to a script.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Json::Array(x), Json::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y)),
        (Json::Object(x), Json::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(name, x)| y.get(name).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

fn integers_of(json: &Json) -> Vec<i64> {
    match json {
        Json::Array(items) => items.iter().flat_map(integers_of).collect(),
        Json::Object(fields) => fields.values().flat_map(integers_of).collect(),
        other => other.as_i64().into_iter().collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_document_comes_back_as_it_went_in(document in document()) {
        let body = "local value = json.decode(p, json.null) return {text = json.encode(value), value = value}";
        for text in [document.to_string(), serde_json::to_string_pretty(&document).unwrap()] {
            let back = run(body, json!(text)).unwrap();
            let again: Json = serde_json::from_str(back["text"].as_str().unwrap()).unwrap();
            prop_assert!(same(&again, &document), "{again} came of {document}");
            prop_assert_eq!(&back["value"], &again, "as a result and as text");
            let kept = integers_of(&document);
            prop_assert!(kept.iter().all(|integer| integers_of(&again).contains(integer)));
        }
    }
}
