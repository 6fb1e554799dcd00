//! Every limit holds on both sides: what lies at it passes, one more is refused with the limit's own error.

use std::time::Duration;

use goop2::vm::{
    Entry, Limits, LoadError, MAX_CALL_VALUES, MAX_NUMERAL_STRING_BYTES, MAX_SOURCE_BYTES, MAX_STRING_BYTES,
    Outcome, Program, RunError,
};

use crate::stopped::{Ended, Failure, run};

fn chunk(source: &str) -> Ended {
    run(source.as_bytes(), Entry::Chunk, Limits::default())
}

fn handle(source: &str, limits: Limits) -> Ended {
    run(source.as_bytes(), Entry::Handle("args".to_owned()), limits)
}

fn run_error(ended: Ended) -> RunError {
    match ended.result {
        Err(Failure::Run(error)) => error,
        other => panic!("not a run error: {other:?}"),
    }
}

// ---- Before the first instruction

#[test]
fn a_source_of_64_kb_is_loaded_and_one_byte_more_is_not() {
    let largest = format!("{}x = 1", " ".repeat(MAX_SOURCE_BYTES - 5));
    assert!(Program::compile("large.lua", largest.as_bytes()).is_ok());
    let error = Program::compile("large.lua", format!(" {largest}").as_bytes()).unwrap_err();
    let found = MAX_SOURCE_BYTES + 1;
    assert_eq!(
        error,
        LoadError::TooLarge { script: "large.lua".to_owned(), found, limit: MAX_SOURCE_BYTES },
        "{error}"
    );
}

#[test]
fn compiled_lua_is_not_loaded_behind_any_disguise() {
    for head in ["", "\u{FEFF}"] {
        let error = Program::compile("b.lua", format!("{head}\x1bLua").as_bytes()).unwrap_err();
        assert_eq!(error, LoadError::Bytecode { script: "b.lua".to_owned() });
    }
    assert!(Program::compile("b.lua", b"#!/usr/bin/lua\n\x1bLua").is_err());
}

#[test]
fn a_shape_at_its_limit_is_loaded_and_one_more_is_refused() {
    type Source = fn(usize) -> String;
    let rows: [(&str, usize, Source); 8] = [
        ("local variables", 200, |n| (0..n).map(|i| format!("local a{i}\n")).collect()),
        ("local variables", 200, |n| format!("function f({}) end", vec!["a"; n].join(","))),
        ("operators", 1_000, |n| format!("x = 1{}", "+y".repeat(n))),
        ("operators", 1_000, |n| format!("x = 1{}", " and y".repeat(n))),
        ("fields and calls", 1_000, |n| format!("x = a{}", ".b".repeat(n))),
        ("fields and calls", 1_000, |n| format!("x = a{}", "()".repeat(n))),
        ("arguments", 250, |n| format!("f({})", vec!["1"; n].join(","))),
        ("values returned", 250, |n| format!("return {}", vec!["1"; n].join(","))),
    ];
    for (what, limit, source) in rows {
        let allowed = Program::compile("s.lua", source(limit).as_bytes());
        assert!(allowed.is_ok(), "{what}: {limit} are allowed, but: {}", allowed.unwrap_err());
        match Program::compile("s.lua", source(limit + 1).as_bytes()) {
            Err(LoadError::Shape { what: found_what, found, limit: found_limit, .. }) => {
                assert!(found_what.starts_with(what), "{found_what}");
                assert_eq!((found, found_limit), (limit + 1, limit), "{what}");
            }
            other => panic!("{what}: {} must be refused, but: {other:?}", limit + 1),
        }
    }
}

#[test]
fn nesting_is_loaded_up_to_some_depth_and_refused_beyond_200() {
    for (open, close) in [("(", ")"), ("{", "}"), ("f(", ")"), ("function() return ", " end"), ("not ", "")] {
        let nested = |depth: usize| format!("x = {}1{}", open.repeat(depth), close.repeat(depth));
        // A function is two levels, its body and what it returns; a list or a call keeps values that wait.
        let most = match open {
            "function() return " => 98,
            "{" | "f(" => 123,
            _ => 196,
        };
        for depth in 1..=most {
            let result = Program::compile("s.lua", nested(depth).as_bytes());
            assert!(result.is_ok(), "{open:?} {depth} levels: {}", result.unwrap_err());
        }
        for depth in [199, 200, 201, 1_000, 2_500] {
            match Program::compile("s.lua", nested(depth).as_bytes()) {
                Err(LoadError::Shape { .. } | LoadError::Syntax { .. }) => {}
                other => panic!("{open:?} {depth} levels: {other:?}"),
            }
        }
    }
}

// ---- Time

#[test]
fn the_time_is_for_the_whole_invocation_and_cannot_be_caught() {
    let limits = Limits { time: Duration::from_millis(100), ..Limits::default() };
    for source in [
        "while true do end function handle() end",
        "function handle() while true do end end",
        "function handle() while true do pcall(function() while true do end end) end end",
        "function handle() return xpcall(function() while true do end end, function() return 'caught' end) end",
        "function handle() local t = setmetatable({}, { __index = function() while true do end end }) return t.x end",
        "function handle() return (('x'):gsub('x', function() while true do end end)) end",
        "function handle() table.sort({ 2, 1 }, function() while true do end end) end",
        "function handle() return setmetatable({}, { __tostring = function() while true do end end }) .. '' end",
        "function handle() print(setmetatable({}, { __tostring = function() while true do end end })) end",
    ] {
        let ended = handle(source, limits);
        if source.contains(".. ''") {
            assert_eq!(ended.kind(), "runtime", "concatenation does not call __tostring");
            continue;
        }
        assert!(ended.printed.is_empty(), "{source}");
        assert!(ended.stats.wall >= limits.time, "{source}: stopped too early, after {:?}", ended.stats.wall);
        assert_eq!(run_error(ended), RunError::Timeout { limit: limits.time }, "{source}");
    }
}

#[test]
fn a_machine_without_time_does_not_run_and_does_not_hang() {
    let limits = Limits { time: Duration::ZERO, ..Limits::default() };
    assert_eq!(handle("while true do end", limits).kind(), "timeout");
    let limits = Limits { time: Duration::MAX, ..Limits::default() };
    let kind = handle("function handle() return 'x' end", limits).kind();
    assert!(["reply", "timeout"].contains(&kind), "{kind}");
}

// ---- Memory

#[test]
fn memory_cannot_be_caught_and_the_error_names_the_limit() {
    // The time is no part of this, and a loaded machine takes long in a debug build.
    let limits = Limits { time: Duration::from_secs(60), ..Limits::default() };
    for source in [
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end",
        "local t = {} xpcall(function() while true do t[#t + 1] = {} end end, function() print('handler') end) print('after')",
        "local t = {} for i = 1, 4 do t[i] = ('x'):rep(3000000 + i) end print('after')",
        "local t = {} print(pcall(function() for i = 1, 4 do t[i] = ('x'):rep(3000000 + i) end end))",
    ] {
        let ended = run(source.as_bytes(), Entry::Chunk, limits);
        assert!(ended.printed.is_empty(), "{source}: {:?}", ended.printed);
        match run_error(ended) {
            RunError::Memory { wanted, limit } => {
                assert_eq!(limit, limits.memory_bytes);
                assert!(wanted > limit, "{source}: {wanted} is not over the limit");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn garbage_is_not_held_against_a_script() {
    for source in [
        "for i = 1, 30 do local s = ('x'):rep(3000000 + i) end",
        "local s = '' for i = 1, 3000 do s = s .. 'xxxxxxxxxxxxxxxx' end",
        "for i = 1, 20000 do local t = { i, i, i, i } end",
        "for i = 1, 20 do local t = {} for j = 1, 2000 do t[j] = { j } end end",
    ] {
        let ended = chunk(source);
        assert_eq!(ended.kind(), "reply", "{source}: {:?}", ended.result);
    }
}

// ---- Strings and values

#[test]
fn a_string_of_4_mib_is_made_and_one_byte_more_is_not() {
    let half = MAX_STRING_BYTES / 2;
    let rows = [
        ("rep", format!("return #('x'):rep({MAX_STRING_BYTES} + over)")),
        ("rep of two", format!("return #('xy'):rep({half} + over)")),
        ("concatenation", format!("local s = ('x'):rep({half}) return #(s .. s .. ('x'):rep(over))")),
        (
            "table.concat",
            format!("local s = ('x'):rep({half}) return #table.concat({{ s, s, ('x'):rep(over) }})"),
        ),
        ("format", format!("local s = ('x'):rep({half}) return #('%s%s%s'):format(s, s, ('x'):rep(over))")),
        (
            "gsub",
            format!("return #('ab'):gsub('.', {{ a = ('x'):rep({half}), b = ('x'):rep({half} + over) }})"),
        ),
    ];
    // More memory than the default, so that the string's own limit is met and not the memory's.
    let limits = Limits { memory_bytes: 64 * 1024 * 1024, time: Duration::from_secs(20) };
    for (name, body) in rows {
        let source = format!("function handle(over) over = over == 'over' and 1 or 0\n{body} end");
        let at_limit = run(source.as_bytes(), Entry::Handle("exact".to_owned()), limits);
        match at_limit.result {
            Ok(Outcome::Reply(Some(reply))) => {
                assert_eq!(reply, MAX_STRING_BYTES.to_string().as_bytes(), "{name}");
            }
            other => panic!("{name} at the limit: {other:?}"),
        }
        let error = run_error(run(source.as_bytes(), Entry::Handle("over".to_owned()), limits));
        assert_eq!(error.kind(), "limit", "{name}: {error}");
        assert_eq!(error.line(), Some(2), "{name}: {error}");
        assert!(error.to_string().contains(&MAX_STRING_BYTES.to_string()), "{name}: {error}");
    }
}

#[test]
fn a_string_that_spells_a_number_has_128_kib_and_not_one_byte_more() {
    let most = MAX_NUMERAL_STRING_BYTES;
    let sources = [
        format!("local s = ('0'):rep({most} + over) return (s + 5) .. ' ' .. #s - over"),
        format!("local s = (' '):rep({most} - 1 + over) .. '5' return s + 0 .. ' ' .. #s - over"),
        format!("local s = ('0'):rep({most} + over):upper() return (s + 5) .. ' ' .. #s - over"),
    ];
    for body in sources {
        let source = format!("function handle(over) over = over == 'over' and 1 or 0\n{body} end");
        let exact = run(source.as_bytes(), Entry::Handle("exact".to_owned()), Limits::default());
        let expected = Outcome::Reply(Some(format!("5 {most}").into_bytes()));
        assert_eq!(exact.result.unwrap(), expected, "{body}");
        let error = run_error(run(source.as_bytes(), Entry::Handle("over".to_owned()), Limits::default()));
        let found = most + 1;
        let text =
            format!("hostile.lua:2: a string that spells a number of {found} bytes; the limit is {most}");
        assert_eq!((error.kind(), error.to_string()), ("limit", text), "{body}");
    }
    // Text of other kinds has the limit of all strings.
    for body in [
        "('0'):rep(100000) .. ('x'):rep(900000)",
        "(' '):rep(1000000)",
        "('ab'):rep(500000)",
        "('1-'):rep(500000)",
    ] {
        let ended = chunk(&format!("local s = {body} print(#s >= 1000000)"));
        assert_eq!(ended.printed, ["true"], "{body}: {:?}", ended.result);
    }
}

#[test]
fn a_caller_gives_no_longer_numeral_than_a_script_makes() {
    let digits = "1".repeat(MAX_NUMERAL_STRING_BYTES + 1);
    let source = b"function handle(args) return 'x' end function call(request) return 'x' end";
    let entries = [Entry::Handle(digits.clone()), Entry::Call(serde_json::json!({ "digits": digits }))];
    for entry in entries {
        assert_eq!(run_error(run(source, entry, Limits::default())).kind(), "limit");
    }
}

#[test]
fn a_call_takes_and_gives_8000_values_and_not_one_more() {
    let most = MAX_CALL_VALUES;
    let rows = [
        ("unpack", format!("return select('#', unpack({{}}, 1, {most} + over))")),
        ("unpack from below", "return select('#', unpack({}, -3999, 4000 + over))".to_owned()),
        ("byte", format!("return select('#', ('x'):rep({most} + over):byte(1, -1))")),
    ];
    for (name, body) in rows {
        let source = format!("function handle(over) over = over == 'over' and 1 or 0\n{body} end");
        let ended = run(source.as_bytes(), Entry::Handle("exact".to_owned()), Limits::default());
        match ended.result {
            Ok(Outcome::Reply(Some(reply))) => assert_eq!(reply, most.to_string().as_bytes(), "{name}"),
            other => panic!("{name} at the limit: {other:?}"),
        }
        let error = run_error(run(source.as_bytes(), Entry::Handle("over".to_owned()), Limits::default()));
        assert_eq!(error.kind(), "limit", "{name}: {error}");
        assert!(error.to_string().contains(&most.to_string()), "{name}: {error}");
    }
}

// ---- Patterns

#[test]
fn a_pattern_has_32_captures_and_200_levels() {
    let ended = chunk("print((('x'):rep(40):find(('(x)'):rep(32)))); ('x'):rep(40):find(('(x)'):rep(33))");
    assert_eq!(ended.printed, ["1"]);
    assert_eq!(run_error(ended).to_string(), "hostile.lua:1: too many captures");
    // A level is a piece that may have to be tried again another way: here each optional piece is one.
    let ended =
        chunk("local s = ('x'):rep(300) print((s:find(('x?'):rep(99)))) print((s:find(('x?'):rep(300))))");
    assert_eq!(ended.printed, ["1"]);
    let error = run_error(ended);
    assert_eq!(
        (error.kind(), error.to_string().contains("pattern too complex")),
        ("runtime", true),
        "{error}"
    );
}

// ---- Replies

#[test]
fn a_reply_is_text_a_number_or_nothing() {
    let reply = |source: &str| match handle(source, Limits::default()).result {
        Ok(Outcome::Reply(reply)) => reply.map(|bytes| String::from_utf8(bytes).unwrap()),
        other => panic!("{source}: {other:?}"),
    };
    assert_eq!(reply("function handle(args) return 'got ' .. args end").as_deref(), Some("got args"));
    assert_eq!(reply("function handle() return 10 / 2 end").as_deref(), Some("5"));
    assert_eq!(reply("function handle() return 0.5 end").as_deref(), Some("0.5"));
    assert_eq!(reply("function handle() return 'first', 'second' end").as_deref(), Some("first"));
    for source in
        ["function handle() end", "function handle() return nil end", "function handle() return '' end"]
    {
        assert_eq!(reply(source), None, "{source}");
    }
    for value in ["{}", "true", "print"] {
        let ended = handle(&format!("function handle() return {value} end"), Limits::default());
        assert!(matches!(run_error(ended), RunError::Result { entry: "handle", .. }), "{value}");
    }
}

#[test]
fn a_script_without_the_entry_point_says_so() {
    for source in ["", "handle = 5", "local function handle() end", "function call() end"] {
        let error = run_error(handle(source, Limits::default()));
        assert!(matches!(error, RunError::NoEntry { entry: "handle", .. }), "{source}: {error}");
        assert_eq!(error.kind(), "runtime");
    }
}
