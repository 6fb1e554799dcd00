//! Two processes: a peer, and a visitor that asks it for things over a real connection.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli_run::peer_of_the_specification;
use crate::cli_support::{Background, RunningPeer, goop2, new_peer};

const STRANGER: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

#[test]
fn a_visitor_uses_every_protocol_of_a_peer() {
    let (temp, dir) = new_peer("quiz");
    let peer = RunningPeer::start(&dir);
    let address = peer.address();
    assert_eq!(peer.ready["viewer"], Value::Null);
    let id = peer.ready["peer_id"].as_str().unwrap();
    assert!(address.starts_with("/ip4/127.0.0.1/tcp/") && address.ends_with(&format!("/p2p/{id}")));
    let key = temp.path().join("visitor.key");
    let identity = ["--identity", key.to_str().unwrap()];
    let visit = |command: &str, args: &[&str]| goop2([&[command, address], args, &identity].concat());

    assert_eq!(visit("chat", &["!help"]).succeeded().stdout, "Available commands:\n  !help\n  !score-quiz\n");
    let event = peer.event(|event| event["event"] == "message" && event["content"] == "!help");
    assert_eq!(event.get("site_id"), Some(&Value::Null));
    let visitor = event["from"].as_str().unwrap().to_owned();
    let unknown = visit("chat", &["!wether", "--json"]).succeeded().json();
    assert_eq!(unknown["replies"][0]["content"], "Unknown command: !wether. Try !help");
    assert_eq!(unknown["replies"][0]["from"], id);
    let unanswered = visit("chat", &["just a word", "--wait", "0.001"]).succeeded();
    assert_eq!(unanswered.stdout, "");
    peer.event(|event| event["event"] == "message" && event["content"] == "just a word");

    let functions = visit("functions", &[]).succeeded().stdout;
    assert_eq!(
        functions,
        "leaderboard  Get the best scores of a quiz\nscore-quiz   Score a quiz submission\n"
    );
    let functions = visit("functions", &["--json"]).succeeded().json();
    assert_eq!(functions[1], json!({"name": "score-quiz", "description": "Score a quiz submission"}));

    let answers = r#"{"quiz_id": "solar-system", "answers": {"q1": "B", "q2": "A", "q3": "D"}}"#;
    let scored = json!({"score": 3, "total": 5, "passed": false});
    assert_eq!(visit("call", &["score-quiz", answers]).succeeded().json(), scored);
    assert_eq!(visit("call", &["score-quiz", answers, "--json"]).succeeded().stdout.lines().count(), 1);
    let refused = visit("call", &["score-quiz", "--json"]).failed(1, "quiz_id required");
    assert_eq!(refused.json(), json!({"ok": false, "error": "quiz_id required"}));
    visit("call", &["nothing"]).failed(1, "function not found: nothing");

    let page = visit("get", &["/"]).succeeded().stdout;
    assert_eq!(page, fs::read_to_string(dir.join("site/index.html")).unwrap());
    let saved = temp.path().join("page.css");
    let shown = visit("get", &["style.css", "-o", saved.to_str().unwrap()]).succeeded().stdout;
    assert!(shown.starts_with("text/css; charset=utf-8, "), "{shown}");
    assert_eq!(fs::read(&saved).unwrap(), fs::read(dir.join("site/style.css")).unwrap());
    visit("get", &["/lua/score-quiz.lua"]).failed(1, "forbidden");
    visit("get", &["/nothing.css", "-o", saved.to_str().unwrap()]).failed(1, "not found");
    assert_eq!(fs::read(&saved).unwrap(), fs::read(dir.join("site/style.css")).unwrap(), "left as it was");
    let left =
        fs::read_dir(temp.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| !name.starts_with(".goop2-get-")));
    visit("get", &["/", "-o", "/dev/null"]).succeeded();
    assert!(!Path::new("/dev/null").is_file());

    let insert = r#"{"op": "insert", "table": "scores", "data": {"game_id": "solar-system", "score": 3, "_owner": "me"}}"#;
    visit("data", &[insert]).failed(1, "_owner");
    let insert = insert.replace(r#", "_owner": "me""#, "");
    assert_eq!(visit("data", &[&insert]).succeeded().json()["data"]["status"], "inserted");
    let rows = visit("data", &[r#"{"op": "query", "table": "scores"}"#]).succeeded().json();
    assert_eq!(rows["data"][0]["_owner"], json!(visitor), "the same key file, the same visitor");
    let hidden = visit("data", &[r#"{"op": "query", "table": "quiz_answers"}"#]).succeeded().json();
    assert_eq!(hidden["data"], json!([]));

    let stopped = peer.stop().succeeded();
    assert_eq!(stopped.stdout.lines().last(), Some(r#"{"event":"stopped"}"#));
    goop2(["chat", &address_of_nobody(), "hello"]).failed(1, "can't be reached");
}

/// A node can't dial itself, so the owner of a running peer asks by its folder.
#[test]
fn the_owner_has_every_operation_by_the_folder_while_the_peer_runs() {
    let (_temp, dir) = new_peer("quiz");
    let peer = RunningPeer::start(&dir);
    let folder = dir.to_str().unwrap();
    let ask = |request: Value| goop2(["data", folder, &request.to_string()]);
    let done = |request: Value| ask(request).succeeded().json()["data"].clone();
    let visit = |request: &str| goop2(["data", peer.address(), request]);

    let made = done(json!({"op": "create-table", "table": "notes", "insert_policy": "public",
                           "column_defs": [{"name": "text", "type": "TEXT", "not_null": true}]}));
    assert_eq!(made, json!({"status": "created", "table": "notes"}));
    done(json!({"op": "add-column", "table": "notes", "column": {"name": "stars", "type": "INTEGER"}}));
    done(json!({"op": "add-column", "table": "notes", "column": "spare"}));
    done(json!({"op": "drop-column", "table": "notes", "column": "spare"}));
    done(json!({"op": "rename-table", "old_name": "notes", "new_name": "diary"}));
    visit(r#"{"op": "insert", "table": "diary", "data": {"text": "a visitor's"}}"#).succeeded();
    assert_eq!(
        done(json!({"op": "insert", "table": "diary", "data": {"text": "mine", "stars": 3}}))["id"],
        2
    );
    done(json!({"op": "update", "table": "diary", "id": 1, "data": {"stars": 1}}));
    let rows = done(json!({"op": "query", "table": "diary", "columns": ["_owner", "text", "stars"]}));
    assert_eq!((&rows[0]["text"], &rows[0]["stars"]), (&json!("a visitor's"), &json!(1)));
    assert_eq!((&rows[1]["_owner"], &rows[1]["stars"]), (&peer.ready["peer_id"], &json!(3)));
    assert_eq!(visit(r#"{"op": "query", "table": "diary"}"#).succeeded().json()["data"][1]["text"], "mine");
    done(json!({"op": "delete", "table": "diary", "id": 1}));
    assert_eq!(done(json!({"op": "query", "table": "diary"})).as_array().unwrap().len(), 1);
    done(json!({"op": "delete-table", "table": "diary"}));
    ask(json!({"op": "describe", "table": "diary"})).failed(1, "no such table: diary");

    for op in ["lua-call", "lua-list"] {
        let refused = ask(json!({"op": op, "function": "leaderboard"})).failed(1, "goop2 run");
        assert_eq!(refused.json()["ok"], false);
    }
    let key = dir.join("data/identity.key");
    let identity = ["--identity", key.to_str().unwrap()];
    let own = ["data", peer.address(), r#"{"op": "tables"}"#];
    goop2([&own[..], &identity].concat()).failed(2, "goop2 data DIR JSON");
    goop2([&["data", folder, r#"{"op": "tables"}"#][..], &identity].concat()).failed(2, "leave it out");
    goop2(["data", "/nonexistent", "{}"]).failed(2, "is no peer folder");
}

#[test]
fn what_is_no_key_no_label_or_no_address_is_wrong_usage() {
    let temp = tempfile::tempdir().unwrap();
    let text = temp.path().join("text");
    fs::write(&text, "no key").unwrap();
    let address = address_of_nobody();
    for file in [temp.path(), &text] {
        let ran = goop2(["call", &address, "f", "--json", "--identity", file.to_str().unwrap()]);
        assert_eq!(ran.failed(2, " key").stdout, "");
    }
    assert_eq!(fs::read_to_string(&text).unwrap(), "no key");
    let ran = goop2(["chat", &address, "hello", "--json", "--label", &"a".repeat(201)]);
    assert_eq!(ran.failed(2, "at most 200 bytes, found 201").stdout, "");
    for form in ["", "/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/127.0.0.1/tcp/1/ws", "/dns/example.org"] {
        let ran = goop2(["functions", "--json", &format!("{form}/p2p/{STRANGER}")]);
        assert_eq!(ran.failed(2, "an address is /ip4/…/tcp/PORT/p2p/ID").stdout, "");
    }
}

/// What is wrong with these is not their form: other networks give out lists, and listeners are told `0.0.0.0`.
#[test]
fn an_address_where_nobody_can_be_is_refused_with_what_to_do() {
    let (_temp, dir) = new_peer("blank");
    let dir = dir.to_str().unwrap();
    for (listens, reason) in [
        (format!("/ip4/0.0.0.0/tcp/4001/p2p/{STRANGER}"), "0.0.0.0 means every address of the machine"),
        (format!("/ip6/::/tcp/4001/p2p/{STRANGER}"), ":: means every address of the machine"),
        (format!("/ip4/192.0.2.1/tcp/0/p2p/{STRANGER}"), "use the port that the peer shows"),
    ] {
        goop2(["functions", &listens]).failed(2, reason);
        goop2(["peer", dir, "--dial", &listens]).failed(2, reason);
    }
    for list in ["/dnsaddr/example.org".to_owned(), format!("/dnsaddr/example.org/p2p/{STRANGER}")] {
        for args in [["functions", &list].as_slice(), &["data", &list, "{}"], &["peer", dir, "--dial", &list]]
        {
            goop2(args).failed(2, "`dig +short TXT _dnsaddr.example.org` shows it");
        }
    }
}

#[test]
fn an_address_that_no_peer_can_listen_at_is_wrong_usage() {
    let (_temp, dir) = new_peer("blank");
    let relayed = format!("/ip4/192.0.2.1/tcp/4001/p2p/{STRANGER}/p2p-circuit");
    for form in
        ["/dns/localhost/tcp/0", "/ip4/127.0.0.1", "/ip4/127.0.0.1/udp/1/quic-v1", "/p2p-circuit", &relayed]
    {
        let ran = goop2(["peer", dir.to_str().unwrap(), "--listen", form, "--json"]);
        assert_eq!(ran.failed(2, "a peer listens at /ip4/ADDRESS/tcp/PORT").stdout, "");
    }
}

fn address_of_nobody() -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("/ip4/127.0.0.1/tcp/{port}/p2p/{STRANGER}")
}

#[test]
fn an_unreachable_peer_is_reported_at_once() {
    let start = Instant::now();
    let address = address_of_nobody();
    let ran = goop2(["call", &address, "f", "--json"]).failed(1, "refused");
    assert_eq!(ran.json()["ok"], false);
    assert!(start.elapsed() < Duration::from_secs(10));
    // It takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let start = Instant::now();
    goop2(["functions", &format!("/ip4/127.0.0.1/tcp/{port}/p2p/{STRANGER}")]).failed(1, "within 8 s");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn a_saved_script_is_live_and_a_typo_is_shown_to_the_owner() {
    let (_temp, dir) = new_peer("quiz");
    let peer = RunningPeer::start(&dir);
    let file = dir.join("site/lua/hello.lua");
    fs::write(&file, "function handle(args) return 'hello ' .. args end\n").unwrap();
    peer.event(|event| event["event"] == "script-loaded" && event["script"] == "hello");
    let hello = || goop2(["chat", peer.address(), "!hello you"]).succeeded().stdout;
    assert_eq!(hello(), "hello you\n");
    fs::write(&file, "function handle(args)\n    return 'hi ' . args\nend\n").unwrap();
    let rejected = peer.event(|event| event["event"] == "script-rejected");
    assert_eq!(rejected["file"], "hello.lua");
    assert!(rejected["problem"].as_str().unwrap().starts_with("hello.lua:2: "), "{rejected}");
    assert_eq!(hello(), "hello you\n", "the last good version answers");
    fs::remove_file(&file).unwrap();
    peer.event(|event| event["event"] == "script-removed" && event["script"] == "hello");
    assert_eq!(hello(), "Unknown command: !hello. Try !help\n");
}

#[test]
fn scripts_that_do_not_load_are_shown_at_the_start() {
    let (_temp, dir) = new_peer("quiz");
    fs::write(dir.join("site/lua/typo.lua"), "local x 3").unwrap();
    let peer = RunningPeer::start(&dir);
    let rejected = peer.event(|event| event["event"] == "script-rejected");
    assert!(rejected["problem"].as_str().unwrap().starts_with("typo.lua:1: "), "{rejected}");
}

#[test]
fn a_scripts_failure_is_in_the_owners_log_under_the_reference_that_the_visitor_has() {
    let (_temp, dir) = new_peer("quiz");
    fs::write(dir.join("site/lua/broken.lua"), "function handle(args)\n    return nil .. args\nend\n")
        .unwrap();
    let peer = RunningPeer::start(&dir);
    let reply = goop2(["chat", peer.address(), "!broken"]).succeeded().stdout;
    let reference = reply.strip_prefix("Script error (ref ").unwrap().trim_end().trim_end_matches(')');
    let log = peer.stop().stderr;
    let line = log.lines().find(|line| line.contains(reference)).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("broken.lua:2: "), "{line}");
}

#[test]
fn the_owner_sees_what_scripts_did_and_visitors_what_they_take() {
    let (_temp, dir) = new_peer("quiz");
    let source = "--- Adds\n--- @param a number The one\n--- @rate_limit 9\nfunction call(r) return r.params.a + 1 end";
    fs::write(dir.join("site/lua/add.lua"), source).unwrap();
    let peer = RunningPeer::start(&dir);
    let functions = goop2(["functions", peer.address()]).succeeded().stdout;
    let expected =
        "add          Adds\n             a (number) The one\n             at most 9 calls a minute\n";
    assert!(functions.starts_with(expected), "{functions}");
    goop2(["call", peer.address(), "add", r#"{"a": 1}"#]).succeeded();
    let good = peer.event(|event| event["event"] == "invocation");
    assert_eq!(
        (&good["script"], &good["interface"], &good["ok"]),
        (&json!("add"), &json!("data"), &json!(true))
    );
    let refused = goop2(["call", peer.address(), "add", "{}"]).failed(1, "Script error (ref ");
    let bad = peer.event(|event| event["event"] == "invocation" && event["ok"] == false);
    assert!(refused.stderr.contains(bad["ref"].as_str().unwrap()), "{bad}");
    assert_eq!(bad["error"]["kind"], "runtime");
    let stopped = peer.stop().succeeded().stdout;
    let stats = stopped.lines().find(|line| line.contains(r#""event":"script-stats""#)).unwrap();
    let stats: Value = serde_json::from_str(stats).unwrap();
    assert_eq!(stats["scripts"][0]["script"], "add");
    assert_eq!(
        (&stats["scripts"][0]["calls"], &stats["scripts"][0]["failures"]["runtime"]),
        (&json!(2), &json!(1))
    );
}

#[test]
fn the_scripts_of_the_specification_answer_over_a_connection() {
    let (_temp, dir) = peer_of_the_specification();
    let peer = RunningPeer::start(&dir);
    let chat = |text: &str| goop2(["chat", peer.address(), text]).succeeded().stdout;
    assert!(chat("!help").starts_with("Available commands:\n  !greet\n  !hello\n  !help\n"));
    assert!(chat("!time").starts_with("Current time: 20"));
    assert_eq!(chat("!greet"), "Hello, peer 12D3KooW...!\n");
    assert_eq!(chat("!weather"), "Usage: !weather <city>\n");
    let call = |function: &str, params: Value| {
        goop2(["call", peer.address(), function, &params.to_string()]).succeeded().json()
    };
    let answers = json!({"quiz_id": "capitals", "answers": {"q1": "A", "q2": "C"}});
    assert_eq!(call("score-quiz", answers), json!({"score": 2, "total": 2, "passed": true}));
    assert_eq!(call("leaderboard", json!({"game_id": "snake"}))["leaderboard"][0]["score"], 9);
    assert_eq!(call("get-products", json!({"category": "clothes"}))["products"][0]["name"], "Hat");
    goop2(["call", peer.address(), "weather-proxy", "{}"]).failed(1, "goop2: city parameter required");
}

#[test]
fn a_peer_without_scripts_says_so() {
    let (_temp, dir) = new_peer("blank");
    let peer = RunningPeer::start(&dir);
    let reason = "Lua scripting is disabled on this peer";
    goop2(["call", peer.address(), "score-quiz"]).failed(1, reason);
    goop2(["functions", peer.address()]).failed(1, reason);
    let chat = goop2(["chat", peer.address(), "!help", "--wait", "0"]).succeeded();
    assert!(chat.stderr.contains("delivered; no reply"), "{chat:?}");
}

/// Without --listen a peer is reachable on every interface, and the machine's loopback is one.
#[test]
fn a_peer_listens_everywhere_by_default_and_a_peer_can_dial_another() {
    let (_temp, dir) = new_peer("blank");
    let peer = RunningPeer::start(&dir);
    let (_other_temp, other) = new_peer("blank");
    let everywhere = RunningPeer::start_with(&other, &["--dial", peer.address()]);
    let connected = everywhere.event(|event| event["event"] == "connected");
    assert_eq!(connected["peer_id"], peer.ready["peer_id"]);
    let addresses = everywhere.ready["addrs"].as_array().unwrap().iter();
    let loopback = addresses.map(|a| a.as_str().unwrap()).find(|a| a.starts_with("/ip4/127.0.0.1/")).unwrap();
    goop2(["get", loopback, "/"]).succeeded();
}

#[test]
fn a_visitors_label_is_seen_by_the_hosts_scripts() {
    let (_temp, dir) = peer_of_the_specification();
    let peer = RunningPeer::start(&dir);
    let greeted = goop2(["chat", peer.address(), "!greet", "--label", "Bob"]).succeeded();
    assert_eq!(greeted.stdout, "Hello, Bob!\n");
    peer.event(|event| event["event"] == "online" && event["label"] == "Bob");
}

#[test]
fn a_peer_says_who_comes_and_goes() {
    let (_temp, dir) = new_peer("blank");
    let peer = RunningPeer::start(&dir);
    let (_other_temp, other) = new_peer("blank");
    let listen = ["--listen", "/ip4/127.0.0.1/tcp/0"];
    let visitor = RunningPeer::start_with(&other, &[&["--dial", peer.address()][..], &listen].concat());
    let id = visitor.ready["peer_id"].clone();
    let online = peer.event(|event| event["event"] == "online");
    assert_eq!(online["peer_id"], id);
    visitor.event(|event| event["event"] == "online");
    let start = Instant::now();
    visitor.stop().succeeded();
    let offline = peer.event(|event| event["event"] == "offline");
    assert_eq!(offline["peer_id"], id);
    assert!(start.elapsed() < Duration::from_secs(15), "said, and not found out by silence");
}

#[test]
fn a_peer_that_is_to_be_dialed_may_come_later() {
    let (_temp, dir) = new_peer("blank");
    let early = RunningPeer::start(&dir);
    let address = early.address().to_owned();
    early.stop().succeeded();
    let (_other_temp, other) = new_peer("blank");
    let waiting = RunningPeer::start_with(&other, &["--dial", &address, "--listen", "/ip4/127.0.0.1/tcp/0"]);
    waiting.event(|event| event["event"] == "not-connected");
    let (listen, _) = address.split_once("/p2p/").unwrap();
    let _late = RunningPeer::start_with(&dir, &["--listen", listen]);
    waiting.event(|event| event["event"] == "connected");
}

#[test]
fn a_peer_is_found_by_the_name_of_its_host() {
    let (_temp, dir) = new_peer("blank");
    let host = RunningPeer::start(&dir);
    let named = host.address().replace("/ip4/127.0.0.1/", "/dns4/localhost/");
    goop2(["get", &named, "/"]).succeeded();
    let (_other_temp, other) = new_peer("blank");
    let visitor = RunningPeer::start_with(&other, &["--dial", &named, "--listen", "/ip4/127.0.0.1/tcp/0"]);
    visitor.event(|event| event["event"] == "connected");
    let nowhere = named.replace("/dns4/localhost/", "/dns6/127.0.0.1/");
    goop2(["get", &nowhere, "/"]).failed(1, "127.0.0.1 has no address of that kind");
}

/// A peer that restarts was tried again after half a minute, when it was long offline to others.
#[test]
fn a_peer_that_restarts_is_connected_again_at_once() {
    let (_temp, dir) = new_peer("blank");
    let host = RunningPeer::start(&dir);
    let address = host.address().to_owned();
    let (_other_temp, other) = new_peer("blank");
    let visitor = RunningPeer::start_with(&other, &["--dial", &address, "--listen", "/ip4/127.0.0.1/tcp/0"]);
    visitor.event(|event| event["event"] == "connected");
    host.stop().succeeded();
    let (listen, _) = address.split_once("/p2p/").unwrap();
    let _again = RunningPeer::start_with(&dir, &["--listen", listen]);
    let start = Instant::now();
    visitor.event(|event| event["event"] == "connected");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

/// Two peers at one port were both let in, and visitors reached either.
#[test]
fn a_port_that_is_taken_is_refused() {
    let (_temp, dir) = new_peer("blank");
    let peer = RunningPeer::start(&dir);
    let address = peer.address().to_owned();
    let (listen, _) = address.split_once("/p2p/").unwrap();
    let (_other_temp, other) = new_peer("blank");
    let arguments = ["peer", other.to_str().unwrap(), "--listen", listen];
    let reason = format!("can't listen on {listen}: it is in use by another program");
    goop2(arguments).failed(1, &reason);
    peer.stop().succeeded();
    RunningPeer::start_with(&other, &["--listen", listen]).stop().succeeded();
}

#[test]
fn a_folder_has_one_running_peer() {
    let (_temp, dir) = new_peer("quiz");
    let peer = RunningPeer::start(&dir);
    let folder = dir.to_str().unwrap();
    let again = goop2(["peer", folder, "--listen", "/ip4/127.0.0.1/tcp/0"]);
    again.failed(1, &format!("{folder}: is in use by another program"));
    // What an owner does beside a running peer.
    goop2(["kv", folder, "score-quiz", "set", "key", "value"]).succeeded();
    goop2(["config", "show", folder]).succeeded();
    goop2(["check", folder]).succeeded();
    goop2(["run", dir.join("site/lua/score-quiz.lua").to_str().unwrap(), "--peer", folder]).succeeded();
    goop2(["get", peer.address(), "/"]).succeeded();
    peer.stop().succeeded();
    RunningPeer::start(&dir).stop().succeeded();
}

#[test]
fn a_relay_that_is_not_there_or_none_is_said_to_be_that() {
    let (_host_temp, host_dir) = new_peer("blank");
    let host = RunningPeer::start(&host_dir);
    let (_temp, dir) = new_peer("blank");
    for (relay, reason) in
        [(address_of_nobody().as_str(), "Connection refused"), (host.address(), "that peer is no relay")]
    {
        let config = json!({"p2p": {"relay": relay, "mdns": false}});
        fs::write(dir.join("goop.json"), config.to_string()).unwrap();
        let peer = RunningPeer::start(&dir);
        let line = peer.logged("the relay is not available");
        assert!(line.contains(reason), "{line}");
    }
}

#[test]
fn a_relay_that_is_no_address_is_named() {
    let (_temp, dir) = new_peer("blank");
    for relay in ["somewhere", "/ip4/203.0.113.7/tcp/4001"] {
        fs::write(dir.join("goop.json"), json!({"p2p": {"relay": relay}}).to_string()).unwrap();
        goop2(["peer", dir.to_str().unwrap()]).failed(2, "config: p2p.relay must be like /ip4/203.0.113.7");
    }
}

#[test]
fn people_read_addresses_problems_and_messages() {
    let (_temp, dir) = new_peer("quiz");
    let peer =
        Background::start(["peer", dir.to_str().unwrap(), "--no-viewer", "--listen", "/ip4/127.0.0.1/tcp/0"]);
    let line = peer.line(|line| line.starts_with("  address  "));
    let address = line.trim_start_matches("  address  ").to_owned();
    assert_eq!(peer.line(|line| line.contains("scripts")), "  scripts  !help !score-quiz; 2 data functions");
    peer.line(|line| line == "Ctrl-C stops it.");
    fs::write(dir.join("site/lua/score-quiz.lua"), "local x 1").unwrap();
    let line = peer.line(|line| line.starts_with("not loaded"));
    assert!(line.starts_with("not loaded  score-quiz.lua:1: "), "{line}");
    goop2(["chat", &address, "a\x1b[2J\nb", "--wait", "0"]).succeeded();
    let line = peer.line(|line| line.starts_with("from 12D3KooW"));
    assert!(line.ends_with(" < a\\u{1b}[2J b"), "{line}");
    let ended = peer.stop().succeeded();
    assert!(!ended.stderr.contains("score-quiz.lua:1"), "shown once, not in the log too: {ended:?}");
}

#[test]
fn the_demo_stays_up_until_it_is_stopped_and_tidies_up() {
    let demo = Background::start(["demo"]);
    let folder =
        demo.line(|line| line.starts_with("  folder ")).split_whitespace().nth(1).unwrap().to_owned();
    let line = demo.line(|line| line.starts_with("  goop2 chat "));
    let address = line.split_whitespace().nth(2).unwrap();
    assert!(goop2(["chat", address, "!help"]).succeeded().stdout.contains("!score-quiz"));
    let script = demo.line(|line| line.ends_with("score-quiz.lua"));
    assert!(Path::new(script.trim()).is_file());
    demo.stop().succeeded();
    assert!(!Path::new(&folder).exists());
}
