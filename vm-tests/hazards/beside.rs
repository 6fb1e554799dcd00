//! What the host holds for a script comes beside the memory of the script, which may be full.

use goop2::vm::Entry;

use super::check::{Hazard, check_all_asked, chunk};

/// Nearly all of the memory, in strings that stay.
const FULL: &str = "local full = {} for i = 1, 90 do full[i] = ('x'):rep(100000) .. i end ";

fn beside_full_memory(name: &str, ends: &str, source: &str) -> Hazard {
    chunk(name, ends, format!("{FULL}{source}"))
}

/// To name the line of the first error, the source is read once more.
#[test]
fn an_error_needs_little_memory() {
    let statement = |before: &str, operation: &str, count: usize| {
        format!("local x = {{ {} }}", [before, &operation.repeat(count)].concat())
    };
    check_all_asked(vec![
        beside_full_memory("in a statement of many fields", "runtime", &statement("", "a.b,", 12_000)),
        beside_full_memory("in a statement of many operators", "runtime", &statement("", "a.b+a.c,", 6_500)),
        beside_full_memory("in a statement of many lines", "runtime", &statement("", "#a,\n", 16_000)),
        beside_full_memory(
            "behind many signs",
            "runtime",
            &statement("f(),", &["-~".repeat(45), "a,".to_owned()].concat(), 400),
        ),
    ]);
}

/// A reply is copied out of the script's memory.
#[test]
fn a_long_reply_needs_little_memory() {
    let source = format!("{FULL}function handle() full = nil return ('y'):rep(4194304) end");
    let held =
        "local long, full = ('x'):rep(4194304), {} for i = 1, 28 do full[i] = ('y'):rep(200000) .. i end
        function handle() return full and long end";
    let entry = Entry::Handle(String::new());
    check_all_asked(vec![
        Hazard { entry: entry.clone(), ..chunk("beside garbage", "reply", source) },
        Hazard { entry, ..chunk("beside what is held", "reply", held) },
    ]);
}

/// What the API makes of values, before it knows whether it can use it.
#[test]
fn the_api_needs_little_memory() {
    let rows = [
        (
            "a long list as JSON",
            "local t = {} for i = 1, 95000 do t[i] = 1 end fill(60) return goop.json.encode(t)",
        ),
        (
            "many fields as JSON",
            "local t = {} for i = 1, 30000 do t['k' .. i] = 1 end fill(60) return goop.json.encode(t)",
        ),
        (
            "long strings as JSON",
            "local s = ('x'):rep(1000000) fill(75) return pcall(goop.json.encode, { s, s }) or #goop.json.encode(s)",
        ),
        (
            "a list for which there is no room",
            "local t = {} for i = 1, 95000 do t[i] = 1 end fill(75) return goop.json.encode(t)",
        ),
        ("a long key", "local s = ('x'):rep(4194304) fill(56) return select(2, pcall(goop.kv.get, s))"),
        ("a long value", "local s = ('x'):rep(4194304) fill(56) return select(2, pcall(goop.kv.set, s, s))"),
    ];
    let rows = rows.map(|(name, body)| {
        let source = format!(
            "local full = {{}} local function fill(n) for i = 1, n do full[i] = ('x'):rep(100000) .. i end end
             function handle() {body} end"
        );
        Hazard { entry: Entry::Handle(String::new()), ..chunk(name, "reply|memory", source) }
    });
    check_all_asked(rows.into_iter().collect());
}

/// What the network and the database are asked, before anything is known of it.
#[cfg(all(feature = "http", feature = "db"))]
#[test]
fn what_is_asked_outside_needs_little_memory() {
    let url = "'http://127.0.0.1:1/'";
    let rows = [
        (
            "a URL that is no text",
            "('\\255'):rep(4194304)",
            56,
            "return select(3, goop.http.get(long))".to_owned(),
        ),
        (
            "the name of a header",
            "('n'):rep(4194304)",
            56,
            format!("return select(3, goop.http.get({url}, {{ [long] = 'v' }}))"),
        ),
        (
            "the value of a header",
            "('v'):rep(4194304)",
            56,
            format!("return select(3, goop.http.get({url}, {{ X = long }}))"),
        ),
        ("a query", "('s'):rep(4194304)", 56, "return select(2, pcall(goop.db.query, long))".to_owned()),
        (
            "what a query is given",
            "('p'):rep(1000000)",
            85,
            "return select(2, pcall(goop.db.query, 'SELECT ?, ?', long, long))".to_owned(),
        ),
    ];
    let rows = rows.map(|(name, long, fill, body)| {
        let source = format!(
            "local full, long = {{}}, {long}
             function call() for i = 1, {fill} do full[i] = ('x'):rep(100000) .. i end {body} end"
        );
        let entry = Entry::Call(serde_json::Value::Null);
        Hazard { entry, ..chunk(name, "reply|memory", source) }
    });
    check_all_asked(rows.into_iter().collect());
}
