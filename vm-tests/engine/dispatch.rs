//! Messages in, replies out.

use serde_json::json;

use super::{Peer, caller, config};
use goop2::config::LuaConfig;

const ECHO: &str = "function handle(args) return '[' .. args .. ']' end";

#[tokio::test]
async fn commands_are_parsed_as_specified() {
    let peer =
        Peer::with(&[("echo.lua", ECHO), ("db-query.lua", ECHO), ("quiet.lua", "function handle() end")]);
    for (text, reply) in [
        ("!echo", Some("[]")),
        ("!echo a b  c", Some("[a b  c]")),
        ("   !echo a \n", Some("[a]")),
        // Everything after the first space.
        ("!echo  a", Some("[ a]")),
        ("!echo\nline", Some("[line]")),
        ("!db-query x", Some("[x]")),
        ("!quiet", None),
        ("echo", None),
        ("", None),
        ("hello !echo", None),
        ("!wether", Some("Unknown command: !wether. Try !help")),
        ("!Echo", Some("Unknown command: !Echo. Try !help (did you mean !echo?)")),
        ("!", Some("Unknown command: !. Try !help")),
        ("!../../etc/passwd", Some("Unknown command: !../../etc/passwd. Try !help")),
    ] {
        assert_eq!(peer.chat(text).await.as_deref(), reply, "{text:?}");
    }
}

#[tokio::test]
async fn a_reply_is_text_number_or_nothing_and_is_cut_at_4_kb() {
    let peer = Peer::with(&[
        ("number.lua", "function handle() return 10/2 end"),
        ("empty.lua", "function handle() return '' end"),
        ("table.lua", "function handle() return {} end"),
        ("long.lua", "function handle() return ('ä'):rep(10000) end"),
        ("binary.lua", "function handle() return '\\255\\0x' end"),
    ]);
    assert_eq!(peer.chat("!number").await.as_deref(), Some("5"));
    assert_eq!(peer.chat("!empty").await, None);
    assert!(peer.chat("!table").await.unwrap().starts_with("Script error (ref "));
    let long = peer.chat("!long").await.unwrap();
    assert!(long.len() <= 4096 && long.ends_with("ä…"), "{} bytes", long.len());
    assert_eq!(peer.chat("!binary").await.as_deref(), Some("\u{FFFD}\0x"));
}

#[tokio::test]
async fn every_invocation_has_a_vm_of_its_own() {
    let peer = Peer::with(&[(
        "count.lua",
        "n = 0 string.extra = string.extra or 0
         function handle() n = n + 1 string.extra = string.extra + 1 return n .. '/' .. string.extra end",
    )]);
    for _ in 0..3 {
        assert_eq!(peer.chat("!count").await.as_deref(), Some("1/1"));
    }
}

#[tokio::test]
async fn strangers_read_the_text_a_script_chose_and_nothing_else() {
    let peer = Peer::with(&[
        ("chosen.lua", "function handle() error('city parameter required') end"),
        ("table.lua", "function handle() error({secret = 1}) end"),
        ("asserted.lua", "function handle() assert(false, 'say a number') end"),
        ("broken.lua", "function handle() return nil .. 'x' end"),
        ("caught.lua", "function handle() local ok, e = pcall(error, 'inner', 0) error(e, 0) end"),
    ]);
    assert_eq!(peer.chat("!chosen").await.as_deref(), Some("city parameter required"));
    assert_eq!(peer.chat("!asserted").await.as_deref(), Some("say a number"));
    assert_eq!(peer.chat("!caught").await.as_deref(), Some("inner"));
    for command in ["!table", "!broken"] {
        let reply = peer.chat(command).await.unwrap();
        assert!(
            reply.starts_with("Script error (ref ") && reply.len() == "Script error (ref 3f9a2c)".len(),
            "{reply}"
        );
    }
}

#[tokio::test]
async fn hostile_scripts_end_and_the_next_call_is_answered() {
    let peer = Peer::with(&[
        ("echo.lua", ECHO),
        ("loop.lua", "function handle() while true do end end"),
        ("main.lua", "while true do end function handle() end"),
        ("string.lua", "function handle() local s = 'x' while true do s = s .. s end end"),
        ("table.lua", "function handle() local t = {} while true do t[#t + 1] = {} end end"),
        ("recursion.lua", "function handle() return 1 + handle() end"),
        ("stubborn.lua", "function handle() while true do pcall(function() while true do end end) end end"),
        ("result.lua", "function call() local t = {} t.t = t return t end"),
    ]);
    for command in ["!loop", "!main", "!string", "!table", "!recursion", "!stubborn"] {
        let reply = peer.chat(command).await.unwrap();
        assert!(reply.starts_with("Script error (ref "), "{command}: {reply}");
        assert_eq!(peer.chat("!echo still here").await.as_deref(), Some("[still here]"));
    }
    assert!(peer.call("result", json!({})).await.unwrap_err().starts_with("Script error (ref "));
}

#[tokio::test]
async fn rate_limits_refuse_with_the_specified_text() {
    let peer = Peer::configured(
        LuaConfig { rate_limit_per_peer: 2, rate_limit_global: 3, ..config() },
        &[("echo.lua", ECHO), ("f.lua", "function call() return 1 end")],
    );
    assert_eq!(peer.chat("!echo").await.as_deref(), Some("[]"));
    assert_eq!(peer.chat("!nothing").await.as_deref(), Some("Unknown command: !nothing. Try !help"));
    assert_eq!(peer.chat("!echo").await.as_deref(), Some("Rate limited, try again later"));
    let refused = peer.call("f", json!({})).await.unwrap_err();
    assert!(refused.starts_with("rate limited, try again in ") && refused.ends_with(" s"), "{refused}");
    let bob = caller("Bob");
    assert_eq!(peer.chat_as(&bob, "!echo").await.as_deref(), Some("[]"));
    assert_eq!(
        peer.chat_as(&bob, "!echo").await.as_deref(),
        Some("Rate limited, try again later"),
        "the global limit"
    );
}

#[tokio::test]
async fn data_functions_answer_in_json_and_hide_chat_only_scripts() {
    let peer = Peer::with(&[
        (
            "score.lua",
            "--- Score it\nfunction call(r) return { n = r.params.n + 1, list = {1, 2}, none = r.params.list } end",
        ),
        ("echo.lua", ECHO),
        (
            "functions/deployed.lua",
            "--- From a template\nfunction handle() return 'x' end function call() return 'ok' end",
        ),
    ]);
    let result = peer.call("score", json!({"n": 41, "list": []})).await.unwrap();
    assert_eq!(result, json!({"n": 42, "list": [1, 2], "none": []}));
    assert_eq!(peer.call("deployed", json!(null)).await.unwrap(), json!("ok"));
    for name in ["echo", "nothing", "../score"] {
        assert_eq!(peer.call(name, json!({})).await.unwrap_err(), format!("function not found: {name}"));
    }
    let functions = serde_json::to_value(peer.engine.functions()).unwrap();
    assert_eq!(
        functions,
        json!([
            {"name": "deployed", "description": "From a template"},
            {"name": "score", "description": "Score it"},
        ])
    );
    assert_eq!(peer.engine.commands(), ["echo"], "functions/ has the data interface only");
}

#[tokio::test]
async fn a_scripts_own_rate_limit_holds_for_that_script_and_is_told_with_the_wait() {
    let peer = Peer::with(&[
        ("strict.lua", "--- Once a minute\n--- @rate_limit 1\nfunction call() return 1 end"),
        ("f.lua", "function call() return 1 end"),
    ]);
    assert_eq!(peer.call("strict", json!({})).await, Ok(json!(1)));
    let refused = peer.call("strict", json!({})).await.unwrap_err();
    assert!(refused.starts_with("rate limited, try again in "), "{refused}");
    assert_eq!(peer.call("f", json!({})).await, Ok(json!(1)));
}

/// Visitors read file, line and variable of an error that a script had caught and raised again.
#[tokio::test]
async fn a_failure_that_is_raised_again_stays_the_owners() {
    let fails =
        "local function f() local t = nil return t.secret end local function g() return ('x'):rep({}) end ";
    for code in [
        "local ok, e = pcall(f) error(e)",
        "local ok, e = pcall(f) error(e, 0)",
        "assert(pcall(f))",
        "local ok, e = pcall(f) error('failed: ' .. e)",
        "local ok, e = pcall(f) error('failed: ' .. e:gsub('attempt to', 'could not'))",
        "local ok, e = pcall(g) error(e, 0)",
        "assert(pcall(string.rep))",
        "local ok, e = pcall(goop.json.decode, '{') error('bad: ' .. e, 0)",
        "local ok, e = xpcall(f, function(e) return 'handled ' .. e end) error(e, 0)",
    ] {
        let source = format!("{fails} function handle() {code} end");
        let reply = Peer::with(&[("x.lua", &source)]).chat("!x").await.unwrap();
        assert!(reply.starts_with("Script error (ref "), "{code}: {reply}");
    }
}

#[tokio::test]
async fn a_chosen_text_stays_chosen_without_its_position() {
    let chooses = "local function f() error('city required') end ";
    for (code, expected) in [
        ("f()", "city required"),
        ("local ok, e = pcall(f) error(e)", "city required"),
        ("local ok, e = pcall(f) error(e, 0)", "city required"),
        ("assert(pcall(f))", "city required"),
        ("local ok, e = pcall(f) error('sorry: ' .. e, 0)", "sorry: city required"),
        ("local ok, e = pcall(f) pcall(error, 'other') error(e, 0)", "city required"),
        ("pcall(function() local t = nil return t.x end) error('no luck')", "no luck"),
    ] {
        let source = format!("{chooses} function handle() {code} end");
        let reply = Peer::with(&[("x.lua", &source)]).chat("!x").await.unwrap();
        assert_eq!(reply, expected, "{code}");
    }
}

#[tokio::test]
async fn a_long_chosen_text_is_cut_and_marked() {
    let peer = Peer::with(&[("x.lua", "function handle() error(('x'):rep(100000)) end")]);
    let reply = peer.chat("!x").await.unwrap();
    assert!(reply.starts_with("xxxx") && reply.ends_with('…') && reply.len() <= 4096, "{}", reply.len());
}
