//! The `goop` tables can't be changed.

use serde_json::json;

use super::Peer;

/// What `pcall` says of `code`, run with `goop.peer` and `goop` as the script has them.
async fn refusal(code: &str) -> String {
    let source = format!(
        "function handle() local ok, e = pcall(function() {code} end) return tostring(ok) .. ' ' .. tostring(e) end"
    );
    let peer = Peer::with(&[("x.lua", &source)]);
    peer.chat("!x").await.unwrap()
}

#[tokio::test]
async fn assignments_are_refused_with_the_field() {
    for (code, field) in [
        ("goop.peer.id = 'x'", "goop.peer is read-only: its field id can't be set"),
        ("goop.peer.extra = 'x'", "goop.peer is read-only: its field extra can't be set"),
        ("goop['self'].label = nil", "goop.self is read-only: its field label can't be set"),
        ("goop.peer = {}", "goop is read-only: its field peer can't be set"),
        ("goop.commands = nil", "goop is read-only: its field commands can't be set"),
        ("goop.kv.get = print", "goop.kv is read-only: its field get can't be set"),
        ("local p = goop.peer p.id = 'x'", "goop.peer is read-only: its field id can't be set"),
        ("local g, k = goop, 'peer' g[k] = 1", "goop is read-only: its field peer can't be set"),
        ("local g = _G.goop g.peer.id = 1", "goop.peer is read-only: its field id can't be set"),
        ("local name = 'goop' _G[name].peer.id = 1", "goop.peer is read-only: its field id can't be set"),
        (
            "for k, v in pairs({goop.peer}) do v.id = 1 end",
            "goop.peer is read-only: its field id can't be set",
        ),
        ("function goop.peer.id() end", "goop.peer is read-only: its field id can't be set"),
        ("function goop.log:info() end", "goop.log is read-only: its field info can't be set"),
        ("goop.json.null.x = 1", "goop.json.null is read-only: its field x can't be set"),
        ("local null = goop.json.null null.x = 1", "goop.json.null is read-only: its field x can't be set"),
        ("goop.peer[1] = 1", "goop.peer is read-only: its field 1 can't be set"),
    ] {
        assert_eq!(refusal(code).await, format!("false x.lua:1: {field}"), "{code}");
    }
}

#[tokio::test]
async fn raw_access_and_metatables_are_no_way_around() {
    for (code, message) in [
        ("rawset(goop.peer, 'id', 'x')", "rawset: this table is read-only"),
        ("rawset(goop, 'peer', {})", "rawset: this table is read-only"),
        ("rawget(goop.self, 'id')", "rawget: this table is read-only"),
        ("table.insert(goop.peer, 'x')", "insert: this table is read-only"),
        ("rawset(goop.json.null, 1, 'x')", "rawset: this table is read-only"),
        ("table.insert(goop.json.null, 'x')", "insert: this table is read-only"),
        ("setmetatable(goop.peer, {})", "cannot change a protected metatable"),
    ] {
        assert_eq!(refusal(code).await, format!("false x.lua:1: {message}"), "{code}");
    }
    assert_eq!(refusal("return getmetatable(goop.peer)").await, "true false");
    assert_eq!(
        refusal("local t = setmetatable({}, {__metatable = 1}) rawset(t, 1, 2) return t[1]").await,
        "true 2"
    );
}

#[tokio::test]
async fn they_read_as_other_tables_do() {
    let peer = Peer::with(&[(
        "x.lua",
        "function call()
            local p, seen = goop.peer, {}
            for k, v in pairs(p) do seen[k] = v end
            local log = goop.log
            return { type = type(p), id = p.id, none = p.nothing == nil, seen = seen, peer = p,
                     text = goop.json.encode(goop.self), next = next(p) ~= nil, same = p == goop.peer,
                     log = type(log.info) }
        end",
    )]);
    let ann = json!({"id": "Ann", "label": ""});
    assert_eq!(
        peer.call("x", json!({})).await.unwrap(),
        json!({"type": "table", "id": "Ann", "none": true, "seen": ann, "peer": ann,
               "text": "{\"id\":\"Host\",\"label\":\"the host\"}", "next": true, "same": true, "log": "function"})
    );
}
