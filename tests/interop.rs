//! Our program and a peer on js-libp2p, over a real connection, each asking the other.
//!
//! The bytes are those of `fixtures/wire/`, so the two agree on them and not only with themselves.

use std::fs;

use serde_json::{Value, json};

use crate::cli_support::{Background, RunningPeer, goop2};
use crate::deployed_peer::{HOST, VISITOR, VISITOR_KEY, deployed_peer};
use crate::interop_peer::{JsPeer, text};
use crate::wire_captures::{DATA_BY_VISITOR, capture, captured};

const CHAT: &str = "/goop/chat/1.0.0";
const SITE: &str = "/goop/site/1.0.0";
const DATA: &str = "/goop/data/1.0.0";
const CONTENT: &str = "/goop/content/1.0.0";

/// The deployed peer's folder run by our program, and the visitor of the captures, connected to it.
fn host_and_js_visitor() -> Option<(tempfile::TempDir, RunningPeer, JsPeer)> {
    let mut visitor = JsPeer::start(json!({"key": VISITOR_KEY, "listen": []}))?;
    assert_eq!(visitor.id, VISITOR);
    let (temp, dir) = deployed_peer();
    let host = RunningPeer::start(&dir);
    assert_eq!(visitor.dial(host.address()), HOST);
    Some((temp, host, visitor))
}

/// A host on js-libp2p, and its address.
fn js_host() -> Option<(JsPeer, String)> {
    let host = JsPeer::start(json!({"key": null, "listen": ["/ip4/127.0.0.1/tcp/0"]}))?;
    let address = host.addresses[0].clone();
    Some((host, address))
}

/// A chat message that our program wrote, with its id and time, which differ each time.
fn ours(id: &Value, from: &str, to: &str, content: &str, timestamp: &Value) -> String {
    let content = json!(content);
    format!(
        "{{\"id\":{id},\"from\":\"{from}\",\"to\":\"{to}\",\"type\":\"direct\",\"content\":{content},\"timestamp\":{timestamp}}}\n"
    )
}

/// Whoever installs the packages chooses where from.
#[test]
fn the_lock_file_names_no_registry() {
    let lock = include_str!("interop/package-lock.json");
    assert!(lock.contains("\"integrity\"") && !lock.contains("\"resolved\""));
}

#[test]
fn a_js_visitor_fetches_the_site() {
    let Some((_temp, _host, mut visitor)) = host_and_js_visitor() else { return };
    for name in captured("site") {
        for half_close in [true, false] {
            let request = capture(&format!("site/{name}.request"));
            let reply = visitor.exchange(HOST, SITE, &request, half_close).unwrap();
            assert_eq!(reply, capture(&format!("site/{name}.reply")), "{name}, half-close: {half_close}");
        }
    }
    // Without its newline, a request ends with the half-close.
    let page = visitor.exchange(HOST, SITE, "GET /", true).unwrap();
    assert_eq!(page, capture("site/first-page.reply"));
    for half_close in [true, false] {
        let label = visitor.exchange(HOST, CONTENT, "", half_close).unwrap();
        assert_eq!(label, capture("content/label.reply"));
    }
    let error = visitor.exchange(HOST, "/goop/none/1.0.0", "x", true).unwrap_err();
    assert!(error.starts_with("UnsupportedProtocolError"), "{error}");
}

/// A js peer has no ping service unless its owner adds one, and always pings. Its connection once ended with
/// the first ping after ours was refused.
#[test]
fn a_js_visitor_without_a_ping_service_keeps_its_connection() {
    let options = json!({"key": VISITOR_KEY, "listen": [], "pingEvery": 20});
    let Some(mut visitor) = JsPeer::start(options) else { return };
    let (_temp, dir) = deployed_peer();
    let host = RunningPeer::start(&dir);
    visitor.dial(host.address());
    visitor.ask("ping", json!({"peer": HOST, "times": 50})).unwrap();
    let label = visitor.exchange(HOST, CONTENT, "", true).unwrap();
    assert_eq!(label, capture("content/label.reply"));
}

/// Nobody can dial our peer here: it listens nowhere, and a js peer hands visitors over to it.
#[test]
fn a_js_relay_leads_visitors_to_our_peer() {
    let options = json!({"key": null, "listen": ["/ip4/127.0.0.1/tcp/0"], "relay": true});
    let Some(relay) = JsPeer::start(options) else { return };
    let (_temp, dir) = deployed_peer();
    let file = dir.join("goop.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["p2p"]["relay"] = json!(relay.addresses[0]);
    fs::write(&file, config.to_string()).unwrap();
    let host = RunningPeer::start(&dir);
    let reachable = host.event(|event| event["event"] == "address");
    let address = reachable["addr"].as_str().unwrap();
    assert_eq!(address, format!("{}/p2p-circuit/p2p/{HOST}", relay.addresses[0]));
    let page = capture("site/first-page.reply");
    let (_, page) = page.split_once('\n').unwrap();
    assert_eq!(goop2(["get", address, "/"]).succeeded().stdout, page);
    let visitor = json!({"key": VISITOR_KEY, "listen": [], "circuit": true});
    let mut visitor = JsPeer::start(visitor).unwrap();
    assert_eq!(visitor.dial(address), HOST);
    let reply = visitor.exchange(HOST, SITE, &capture("site/first-page.request"), true).unwrap();
    assert_eq!(reply, capture("site/first-page.reply"));
}

#[test]
fn a_js_visitor_uses_the_tables_and_data_functions() {
    let Some((_temp, _host, mut visitor)) = host_and_js_visitor() else { return };
    for (turn, name) in DATA_BY_VISITOR.iter().enumerate() {
        let request = capture(&format!("data/{name}.request"));
        let reply = visitor.exchange(HOST, DATA, &request, turn % 2 == 0).unwrap();
        assert_eq!(reply, capture(&format!("data/{name}.reply")), "{name}");
    }
    let reply = visitor.exchange(HOST, DATA, &capture("data/deployed-lua-call.request"), false).unwrap();
    assert_eq!(reply, capture("data/lua-call.reply"));
    let request = capture("data/tables.request");
    let reply = visitor.exchange(HOST, DATA, request.trim_end(), true).unwrap();
    assert_eq!(reply, capture("data/tables.reply"), "without the newline, but half-closed");
}

#[test]
fn a_js_visitor_chats_and_is_replied_to_on_a_stream_of_its_own() {
    let Some((_temp, host, mut visitor)) = host_and_js_visitor() else { return };
    visitor.handle(CHAT, "eof", &[], true);
    let send = |visitor: &mut JsPeer, bytes: &str, half_close| {
        assert_eq!(visitor.exchange(HOST, CHAT, bytes, half_close).unwrap(), "", "no answer on the stream");
    };
    for (name, half_close) in [("direct", true), ("broadcast", false), ("site", true), ("deployed", false)] {
        let sent = capture(&format!("chat/{name}.message"));
        send(&mut visitor, &sent, half_close);
        let sent: Value = serde_json::from_str(&sent).unwrap();
        let event = host.event(|event| event["event"] == "message" && event["content"] == sent["content"]);
        assert_eq!((&event["from"], &event["type"]), (&sent["from"], &sent["type"]), "{name}");
    }
    let replied = |visitor: &mut JsPeer, content: &str| {
        let (from, bytes) = visitor.request(CHAT);
        let reply: Value = serde_json::from_str(&bytes).unwrap();
        assert_eq!(from, HOST);
        assert_eq!(bytes, ours(&reply["id"], HOST, VISITOR, content, &reply["timestamp"]));
        assert!(reply["timestamp"].as_i64().unwrap() > 1_771_061_400_123);
    };
    replied(&mut visitor, "Unknown command: !hello. Try !help");
    // Its command would count a visit.
    send(&mut visitor, &capture("chat/forged.message"), true);
    let visits = capture("chat/direct.message").replace("0001", "0007");
    let visits = visits.replace(r#"!hello \"Zoë\"\n& <all>"#, "!visits");
    send(&mut visitor, &visits, false);
    replied(&mut visitor, "Visit 42");
    let help = visits.replace("0007", "0008").replace("!visits", "!help");
    send(&mut visitor, &help, true);
    replied(&mut visitor, "Available commands:\n  !visits\n!help NAME tells more about one");
}

#[test]
fn our_visitor_fetches_a_js_hosts_site() {
    let Some((mut host, address)) = js_host() else { return };
    let unsupported = goop2(["get", &address, "/"]).failed(1, SITE);
    assert!(unsupported.stderr.contains("does not"), "{unsupported:?}");
    let (found, missing) = (capture("site/first-page.reply"), capture("site/missing.reply"));
    let page = found.split_once('\n').unwrap().1.to_owned();
    let request = capture("site/first-page.request");
    // A host that reads a line or to the end, and one that ends the stream or leaves it open.
    for (until, half_close) in [("line", true), ("eof", true), ("line", false)] {
        host.ask("unhandle", json!({"protocol": SITE})).unwrap();
        host.handle(SITE, until, &[(request.as_str(), &found), ("*", &missing)], half_close);
        assert_eq!(goop2(["get", &address, "/"]).succeeded().stdout, page);
        assert_eq!(host.request(SITE).1, request);
        goop2(["get", &address, "/nothing.html"]).failed(1, "not found");
        assert_eq!(host.request(SITE).1, capture("site/missing.request"));
    }
}

#[test]
fn our_visitor_uses_a_js_hosts_tables_and_data_functions() {
    let Some((mut host, address)) = js_host() else { return };
    let exchange =
        |name: &str| (capture(&format!("data/{name}.request")), capture(&format!("data/{name}.reply")));
    let exchanges = ["insert", "query-own", "update-others", "lua-call", "lua-list"].map(exchange);
    for (until, half_close) in [("line", false), ("eof", true)] {
        host.ask("unhandle", json!({"protocol": DATA})).unwrap();
        let answers = exchanges.each_ref().map(|(request, reply)| (request.as_str(), reply.as_str()));
        host.handle(DATA, until, &answers, half_close);
        for (request, reply) in &exchanges {
            let ran = goop2(["data", &address, request.trim_end()]);
            let reply: Value = serde_json::from_str(reply).unwrap();
            assert_eq!(ran.json(), reply);
            assert_eq!(ran.code, i32::from(reply["ok"] == false), "{ran:?}");
            assert_eq!(host.request(DATA).1, *request);
        }
        let result = goop2(["call", &address, "hello", r#"{"name": "Zoë"}"#]).succeeded().json();
        assert_eq!(result, json!({"greeting": "Hello, Zoë!", "host": "Ada's peer"}));
        assert_eq!(host.request(DATA).1, capture("data/lua-call.request"));
    }
    // Where deployed peers answer otherwise than the specification.
    host.ask("unhandle", json!({"protocol": DATA})).unwrap();
    let (call, list) = (capture("data/deployed-lua-call.reply"), capture("data/deployed-lua-list.reply"));
    let (call_request, list_request) = (capture("data/lua-call.request"), capture("data/lua-list.request"));
    host.handle(DATA, "line", &[(&call_request, &call), (&list_request, &list)], true);
    let result = goop2(["call", &address, "hello", r#"{"name": "Zoë"}"#]).succeeded().json();
    assert_eq!(result, json!({"greeting": "Hello, Zoë!", "host": "Bob"}));
    assert_eq!(goop2(["functions", &address]).succeeded().stdout, "hello  Greet the visitor\n");
}

#[test]
fn our_visitor_chats_with_a_js_host() {
    let Some((mut host, address)) = js_host() else { return };
    host.handle(CHAT, "eof", &[], true);
    let chat = Background::start(["chat", &address, "!help \"Zoë\"", "--wait", "60", "--json"]);
    let (visitor, bytes) = host.request(CHAT);
    let sent: Value = serde_json::from_str(&bytes).unwrap();
    assert_eq!(bytes, ours(&sent["id"], &visitor, &host.id, "!help \"Zoë\"", &sent["timestamp"]));
    let host_id = host.id.clone();
    let reply = ours(&json!("r1"), &host_id, &visitor, "Commands: none", &json!(0));
    assert_eq!(host.exchange(&visitor, CHAT, &reply, true).unwrap(), "");
    let printed: Value = serde_json::from_str(&chat.line(|_| true)).unwrap();
    assert_eq!(printed["replies"][0]["content"], "Commands: none");
    assert_eq!(printed["replies"][0]["from"], json!(host_id));
    let received = printed["replies"][0]["timestamp"].as_i64().unwrap();
    assert!(received >= sent["timestamp"].as_i64().unwrap(), "the receiver's time in place of 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn our_node_asks_a_js_host_for_its_label() {
    use goop2::p2p::{Node, NodeConfig};
    let Some((mut host, address)) = js_host() else { return };
    host.handle(CONTENT, "nothing", &[("*", &capture("content/label.reply"))], true);
    let keypair = libp2p::identity::Keypair::generate_ed25519();
    let node =
        Node::start(NodeConfig { listen: vec![], label: String::new(), ..NodeConfig::new(keypair) }).unwrap();
    let id = node.handle().dial(address.parse().unwrap()).await.unwrap();
    assert_eq!(node.handle().fetch_content(&id).await.unwrap(), "Ada's peer");
}

/// Takes what presence does from outside: a script knows its caller's label, and whoever follows the topic
/// hears of the host.
#[test]
fn presence_is_exchanged_with_a_js_peer() {
    const TOPIC: &str = "goop.presence.v1";
    let options = json!({"key": VISITOR_KEY, "listen": [], "gossip": true});
    let Some(mut visitor) = JsPeer::start(options) else { return };
    let (_temp, dir) = deployed_peer();
    fs::write(dir.join("site/lua/who.lua"), "function handle(args) return goop.peer.label end").unwrap();
    let host = RunningPeer::start(&dir);
    visitor.handle(CHAT, "eof", &[], true);
    visitor.ask("subscribe", json!({"topic": TOPIC})).unwrap();
    visitor.dial(host.address());
    visitor.event(|event| event["event"] == "follower" && event["peer"] == HOST);

    let heard = visitor.event(|event| event["event"] == "gossip" && event["from"] == HOST);
    assert_eq!(heard["signed"], true);
    let heard: Value = serde_json::from_str(&text(&heard["bytes"])).unwrap();
    assert!(heard["type"] == "online" || heard["type"] == "update", "{heard}");
    assert_eq!(heard["peerId"], HOST);
    assert_eq!(heard["content"], "Ada's peer");
    assert_eq!(heard["email"], "ada@example.org");
    assert!(heard["ts"].as_i64().unwrap() > 1_771_061_400_123, "{heard}");

    let online = capture("presence/online.message");
    let bytes: String = online.bytes().map(char::from).collect();
    assert!(visitor.ask("publish", json!({"topic": TOPIC, "bytes": bytes})).unwrap().as_i64() > Some(0));
    let who = capture("chat/direct.message").replace(r#"!hello \"Zoë\"\n& <all>"#, "!who");
    // Gossip and streams have no common order: asked until the host has heard.
    for attempt in 0..50 {
        visitor.exchange(HOST, CHAT, &who.replace("0001", &format!("{attempt}")), true).unwrap();
        let reply: Value = serde_json::from_str(&visitor.request(CHAT).1).unwrap();
        if reply["content"] == "Zoë" {
            return;
        }
    }
    panic!("the host has not heard of its visitor");
}
