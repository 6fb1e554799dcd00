//! Requests into a data function and results out of it: what becomes what, and what is refused with which words.

use goop2::vm::{Entry, Limits, MAX_JSON_VALUES, MAX_RESULT_BYTES, MAX_RESULT_DEPTH, Outcome, RunError};
use serde_json::{Value as Json, json};

use crate::stopped::{Failure, run};

/// What `call` gives for `params`.
fn call(body: &str, params: Json) -> Result<Json, RunError> {
    let source = format!("function call(request) local params = request.params {body} end");
    match run(source.as_bytes(), Entry::Call(params), Limits::default()).result {
        Ok(Outcome::Result(json)) => Ok(json),
        Err(Failure::Run(error)) => Err(error),
        other => panic!("{body}: {other:?}"),
    }
}

fn result(expression: &str) -> Json {
    match call(&format!("return {expression}"), Json::Null) {
        Ok(json) => json,
        Err(error) => panic!("{expression}: {error}"),
    }
}

/// The error of a result that can't leave; always of the kind `limit` and named after the entry point.
fn refusal(body: &str) -> String {
    match call(body, Json::Null) {
        Err(error @ RunError::Result { entry: "call", .. }) => {
            assert_eq!(error.kind(), "limit");
            error.to_string()
        }
        other => panic!("{body}: {other:?}"),
    }
}

// ---- Out

#[test]
fn plain_values_come_out_as_they_are() {
    for (expression, expected) in [
        ("nil", Json::Null),
        ("true", json!(true)),
        ("false", json!(false)),
        ("5", json!(5)),
        ("-5", json!(-5)),
        ("0.5", json!(0.5)),
        ("'text'", json!("text")),
        ("''", json!("")),
        ("'ä ö 日本 😀'", json!("ä ö 日本 😀")),
        (r#"'quote " backslash \\ line \n nul \0'"#, json!("quote \" backslash \\ line \n nul \0")),
    ] {
        assert_eq!(result(expression), expected, "{expression}");
    }
    assert_eq!(call("return", Json::Null).unwrap(), Json::Null);
    assert_eq!(call("return 1, 2, 3", Json::Null).unwrap(), json!(1), "the first value is the result");
}

#[test]
fn whole_numbers_have_no_decimal_point() {
    for (expression, text) in [
        ("10 / 2", "5"),
        ("2 ^ 10", "1024"),
        ("math.floor(3.7)", "3"),
        ("1e3", "1000"),
        ("-4 / 2", "-2"),
        ("2 ^ 53", "9007199254740992"),
        ("1 / 4", "0.25"),
        ("1e300", "1e+300"),
        ("0.1", "0.1"),
        ("0 * -1", "0"),
    ] {
        assert_eq!(result(expression).to_string(), text, "{expression}");
    }
}

#[test]
fn tables_become_lists_or_objects() {
    for (expression, expected) in [
        ("{}", json!({})),
        ("{ 1, 2, 3 }", json!([1, 2, 3])),
        ("{ 'a', false, { 1 } }", json!(["a", false, [1]])),
        ("{ a = 1, b = { c = 'd' } }", json!({ "a": 1, "b": { "c": "d" } })),
        (
            "{ list = { { n = 1 }, { n = 2 } }, empty = {} }",
            json!({ "list": [{ "n": 1 }, { "n": 2 }], "empty": {} }),
        ),
        ("{ [1.0] = 'x', [2] = 'y' }", json!(["x", "y"])),
        ("{ ['1'] = 'x' }", json!({ "1": "x" })),
        ("{ [''] = 1 }", json!({ "": 1 })),
        ("{ a = nil }", json!({})),
        ("{ 1, 2, nil }", json!([1, 2])),
    ] {
        assert_eq!(result(expression), expected, "{expression}");
    }
    let built =
        call("local t = {} for i = 1, 100 do t[101 - i] = i end return { t = t, n = #t }", Json::Null)
            .unwrap();
    assert_eq!((built["n"].as_u64(), built["t"][0].as_u64()), (Some(100), Some(100)));
    let shrunk = call("local t = { 1, 2, 3 } t[3] = nil table.remove(t) return t", Json::Null);
    assert_eq!(shrunk.unwrap(), json!([1]));
}

#[test]
fn a_table_used_twice_is_no_cycle() {
    assert_eq!(call("local t = { 1 } return { t, t, { t } }", Json::Null).unwrap(), json!([[1], [1], [[1]]]));
}

#[test]
fn metamethods_do_not_run() {
    let body = "return setmetatable({ 1, 2 }, { __len = function() error('ran') end, __index = function() error('ran') end, __pairs = function() error('ran') end })";
    assert_eq!(call(body, Json::Null).unwrap(), json!([1, 2]));
    let body = "return setmetatable({ a = 1 }, { __tostring = function() error('ran') end, __index = { b = 2 }, __metatable = 'x' })";
    assert_eq!(call(body, Json::Null).unwrap(), json!({ "a": 1 }));
}

#[test]
fn what_json_does_not_have_is_refused_by_its_place() {
    for (body, expected) in [
        ("return print", "call returned a function at result, which has no form in JSON"),
        (
            "return { rows = { {}, {}, { f = print } } }",
            "call returned a function at result.rows[3].f, which has no form in JSON",
        ),
        ("return 0 / 0", "nan at result, which has no form in JSON"),
        ("return { a = 1 / 0 }", "call returned inf at result.a, which has no form in JSON"),
        ("return { -1 / 0 }", "call returned -inf at result[1], which has no form in JSON"),
        ("return '\\255'", "call returned a string at result that is not UTF-8"),
        ("return { { 'ok', 'caf\\233' } }", "call returned a string at result[1][2] that is not UTF-8"),
        ("return { ['\\255'] = 1 }", "that is not UTF-8"),
        ("local t = {} t.self = t return t", "call returned a table at result.self that contains itself"),
        (
            "local a, b = {}, {} a[1] = b b[1] = a return { x = a }",
            "call returned a table at result.x[1][1] that contains itself",
        ),
        (
            "return { 1, 2, a = 3 }",
            "call returned a table at result that is neither a list nor a set of named fields",
        ),
        ("return { a = 1, [2] = 2 }", "neither a list nor a set of named fields"),
        ("return { 1, nil, 3, nil, 5, [100] = 1 }", "neither a list nor a set of named fields"),
        ("return { [2] = 'x' }", "neither a list nor a set of named fields"),
        ("return { [0] = 'x', 'y' }", "neither a list nor a set of named fields"),
        ("return { [-1] = 'x' }", "neither a list nor a set of named fields"),
        ("return { [1.5] = 'x' }", "neither a list nor a set of named fields"),
        ("return { [true] = 'x' }", "neither a list nor a set of named fields"),
        ("return { [{}] = 'x' }", "neither a list nor a set of named fields"),
        ("return { [2 ^ 53] = 'x' }", "neither a list nor a set of named fields"),
    ] {
        let found = refusal(body);
        assert!(found.contains(expected), "{body}:\n expected {expected}\n found    {found}");
    }
}

#[test]
fn a_result_has_64_levels_and_not_one_more() {
    let nested = |levels: usize| format!("local t = 1 for i = 1, {levels} do t = {{ t }} end return t");
    let mut json = call(&nested(MAX_RESULT_DEPTH), Json::Null).unwrap();
    for _ in 0..MAX_RESULT_DEPTH {
        json = json[0].take();
    }
    assert_eq!(json, json!(1));
    assert_eq!(refusal(&nested(MAX_RESULT_DEPTH + 1)), "call returned a value nested deeper than 64 levels");
    assert_eq!(refusal(&nested(20_000)), "call returned a value nested deeper than 64 levels");
}

#[test]
fn a_result_has_a_megabyte_and_not_more() {
    let fits = format!("return ('x'):rep({})", MAX_RESULT_BYTES - 16);
    assert_eq!(call(&fits, Json::Null).unwrap().as_str().map(str::len), Some(MAX_RESULT_BYTES - 16));
    for body in [
        format!("return ('x'):rep({})", MAX_RESULT_BYTES + 1),
        "local s, t = ('x'):rep(100000), {} for i = 1, 11 do t[i] = s end return t".to_owned(),
        "local s, t = ('x'):rep(100000), {} for i = 1, 1000 do t['k' .. i] = s end return t".to_owned(),
        "return ('\\1'):rep(200000)".to_owned(),
        "return ('\"'):rep(600000)".to_owned(),
        "return { [('k'):rep(1100000)] = 1 }".to_owned(),
        "local t = {} for i = 1, 90000 do t[i] = 12345678901 end return t".to_owned(),
        "local t = 'x' for i = 1, 40 do t = { t, t } end return t".to_owned(),
    ] {
        let found = refusal(&body);
        let too_large = found.contains(&format!("more than {MAX_RESULT_BYTES} bytes"))
            || found.contains(&format!("more than {MAX_JSON_VALUES} values"));
        assert!(too_large, "{body}: {found}");
    }
}

#[test]
fn the_text_of_a_result_is_never_longer_than_its_limit() {
    for body in [
        "local t = {} for i = 1, 99999 do t[i] = 0 end return t",
        "local t = {} for i = 1, 60000 do t[i] = 1 / 3 end return t",
        "local t = {} for i = 1, 40000 do t[i] = { } end return t",
        "local t = {} for i = 1, 30000 do t[i] = { a = '' } end return t",
        "return ('\\127\\n\\t\\r\\b\\f'):rep(90000)",
        "return ('é'):rep(520000)",
    ] {
        match call(body, Json::Null) {
            Ok(json) => {
                assert!(json.to_string().len() <= MAX_RESULT_BYTES, "{body}: {}", json.to_string().len())
            }
            Err(error) => assert_eq!(error.kind(), "limit", "{body}: {error}"),
        }
    }
}

#[test]
fn a_result_has_100_000_values_and_not_more() {
    let list = |length: usize| format!("local t = {{}} for i = 1, {length} do t[i] = 0 end return t");
    let json = call(&list(MAX_JSON_VALUES - 1), Json::Null).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(MAX_JSON_VALUES - 1), "the list itself is one more");
    assert_eq!(refusal(&list(MAX_JSON_VALUES)), "call returned a value of more than 100000 values");
}

/// 30,000 objects of 7 bytes once took 20 MB beside the script's own ten.
#[test]
fn the_tree_of_a_result_is_bounded_too() {
    let rows = |count: usize| format!("local t = {{}} for i = 1, {count} do t[i] = {{ a = 0 }} end return t");
    assert!(call(&rows(10_000), Json::Null).is_ok());
    assert_eq!(refusal(&rows(20_000)), "call returned a value of more than 10485760 bytes while it is built");
}

// ---- In

#[test]
fn params_arrive_as_they_were_sent_and_go_back_unchanged() {
    for params in [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!("text"),
        json!("ä 日本 😀 \u{0} \" \\ \n"),
        json!([]),
        json!([1, "two", [3, [4]]]),
        json!([[], [[]], { "empty": [] }]),
        json!({ "a": { "b": { "c": [1, 2, 3] } }, "ключ": "значение", "": 0 }),
        json!(9_007_199_254_740_993_i64),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(1e300),
        json!(0.1),
    ] {
        assert_eq!(call("return params", params.clone()).unwrap(), params, "{params}");
    }
}

#[test]
fn an_empty_list_stays_a_list_until_it_gets_a_field() {
    assert_eq!(call("params[1] = 5 return params", json!([])).unwrap(), json!([5]));
    assert_eq!(call("params.a = 5 return params", json!([])).unwrap(), json!({ "a": 5 }));
    assert_eq!(call("return #params", json!([])).unwrap(), json!(0));
    assert_eq!(
        call("for k in pairs(params) do return k end return 'none'", json!([])).unwrap(),
        json!("none")
    );
}

#[test]
fn null_is_nil() {
    let body = "return { type(params.a), params.b == nil, type(params.c) }";
    assert_eq!(call(body, json!({ "a": null, "c": 1 })).unwrap(), json!(["nil", true, "number"]));
    assert_eq!(call("return type(params)", json!(null)).unwrap(), json!("nil"));
    assert_eq!(
        call("return { params[1], params[3] == 3, type(params[2]) }", json!([1, null, 3])).unwrap(),
        json!([1, true, "nil"])
    );
    assert_eq!(call("return params", json!({ "a": null, "b": 1 })).unwrap(), json!({ "b": 1 }));
}

#[test]
fn params_behave_as_lua_values() {
    let body = "return { n = #params.list, sum = params.list[1] + params.list[2], up = params.s:upper(), len = #params.s, t = type(params.flag) }";
    let params = json!({ "list": [1, 2.5], "s": "abc", "flag": false });
    assert_eq!(
        call(body, params).unwrap(),
        json!({ "n": 2, "sum": 3.5, "up": "ABC", "len": 3, "t": "boolean" })
    );
    assert_eq!(call("return params == 5", json!(5.0)).unwrap(), json!(true));
    assert_eq!(
        call("local t = {} t[params] = 'x' return t[1]", json!(1.0)).unwrap(),
        json!("x"),
        "a whole float is the same key"
    );
    assert_eq!(
        call("return params / 2", json!(u64::MAX)).unwrap().as_f64(),
        Some(9_223_372_036_854_775_808.0)
    );
}

#[test]
fn the_request_has_params_and_nothing_else() {
    let body = "local keys = {} for k in pairs(request) do keys[#keys + 1] = k end return keys";
    assert_eq!(call(body, json!({ "x": 1 })).unwrap(), json!(["params"]));
}

#[test]
fn params_that_are_too_much_are_refused() {
    let mut deep = json!(1);
    for _ in 0..=MAX_RESULT_DEPTH {
        deep = json!([deep]);
    }
    let error = call("return 1", deep).unwrap_err();
    assert!(error.to_string().contains("nested deeper than 64 levels"), "{error}");
    let error = call("return 1", json!(vec![0; MAX_JSON_VALUES])).unwrap_err();
    assert!(error.to_string().contains("more than 100000 values"), "{error}");
    let error = call("return 1", json!("x".repeat(11 * 1024 * 1024))).unwrap_err();
    assert_eq!(error.kind(), "memory", "{error}");
    let error = call("return 1", json!(vec!["x".repeat(1024); 20_000])).unwrap_err();
    assert_eq!(error.kind(), "memory", "{error}");
}

#[test]
fn an_error_of_the_function_carries_the_words_it_chose() {
    match call("error('city parameter required')", json!({})).unwrap_err() {
        RunError::Script { message, chosen, at, .. } => {
            assert_eq!(message, "hostile.lua:1: city parameter required");
            assert_eq!(chosen.as_deref(), Some("city parameter required"));
            assert_eq!(at.map(|at| at.line), Some(1));
        }
        other => panic!("{other:?}"),
    }
    match call("return tostring(nil .. 'x')", json!({})).unwrap_err() {
        RunError::Script { chosen: None, .. } => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_object_from_outside_has_10_000_fields_and_not_more() {
    let fields = |count: usize| {
        let fields = (0..count).map(|n| (n.to_string(), json!(n)));
        serde_json::Value::Object(fields.collect())
    };
    let source = b"function call(r) local n = 0 for _ in pairs(r.params) do n = n + 1 end return n end";
    let call = |params| {
        let program = goop2::vm::Program::compile("s.lua", source).unwrap();
        let entry = goop2::vm::Entry::Call(params);
        goop2::vm::Machine::new(&program, entry, goop2::vm::Limits::default(), |_| {})
            .unwrap()
            .run(|_| unreachable!())
    };
    assert_eq!(call(fields(10_000)), Ok(goop2::vm::Outcome::Result(json!(10_000))));
    let refused = call(fields(10_001)).unwrap_err().to_string();
    assert!(refused.contains("more than 10000 fields in one object"), "{refused}");
}

/// An emptied table is as long to walk over as it was when full. Where it was in a result tens of thousands of
/// times, the conversion took half a second in one step, and a clock then refused it.
#[test]
fn an_emptied_table_is_walked_over_once_however_often_it_is_in_a_result() {
    for (key, left, each) in
        [("i", "", json!({})), ("'k' .. i", "", json!({})), ("'k' .. i", "c.x = 1", json!({ "x": 1 }))]
    {
        let source = format!(
            "local c = {{}}
            for i = 1, 2^15 do c[{key}] = 1 end
            for i = 1, 2^15 do c[{key}] = nil end
            {left}
            local p = {{}}
            for i = 1, 12000 do p[i] = c end
            return p"
        );
        let json = call(&source, Json::Null).unwrap();
        let items = json.as_array().unwrap();
        assert_eq!((items.len(), &items[0], &items[11_999]), (12_000, &each, &each), "{source}");
    }
}
