//! What strangers may write on a chat or data stream, at its worst: every answer is short, in time
//! and honest, and the peer is the same afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use goop2::chat::{HistoryPage, Manager, Message, Transport};
use goop2::config::DataConfig;
use goop2::peer_id::PeerId;
use goop2::script::SendFuture;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::data::Host;

/// Nobody is there.
struct Nowhere;

impl Transport for Nowhere {
    fn deliver<'a>(&'a self, _: &'a PeerId, _: Vec<u8>) -> SendFuture<'a> {
        Box::pin(async { Ok(()) })
    }

    fn label_of(&self, _: &PeerId) -> String {
        String::new()
    }
}

/// The longest an error may be: it is logged, or sent back, for every request that causes it.
const MAX_ERROR_BYTES: usize = 800;

const MEGABYTE: usize = 1_000_000;

/// JSON values, and what pretends to be some.
fn values() -> Vec<Vec<u8>> {
    let texts = [
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "0",
        "-0",
        "-1",
        "1.5",
        "1e400",
        "-1e400",
        "1E+99999999999",
        "1e-400",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "NaN",
        "Infinity",
        "0x10",
        "01",
        "1.",
        ".5",
        "+1",
        "'a'",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u0000\"",
        "\"\\x\"",
        "\"open",
        "\"a\nb\"",
        "\"../../etc\"",
        "\"12D3KooW\"",
        "\"A\"",
        "\"opened\"",
        "\"_tables\"",
        "\"query\"",
        "[1,2",
        "{\"a\"}",
        "{\"a\":1,\"a\":2}",
        "/* */1",
        "tru",
        "\u{feff}1",
        "\"\u{202e}\"",
        "1 2",
    ];
    let mut values: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let long = |part: &str, times: usize| part.repeat(times).into_bytes();
    values.extend([
        b"\"\xff\"".to_vec(),
        b"\"\xc0\x80\"".to_vec(),
        b"\"\xed\xa0\x80\"".to_vec(),
        b"\"\xf0\x9f\x98\"".to_vec(),
        b"\"\0\"".to_vec(),
        long("[", 100_000),
        long("{\"a\":", 100_000),
        [long("[", 120), long("]", 120)].concat(),
        [long("[", 400_000), long("]", 400_000)].concat(),
        long("9", 300_000),
        [b"0.".to_vec(), long("0", 300_000), b"1".to_vec()].concat(),
        [b"\"".to_vec(), long("x", MEGABYTE), b"\"".to_vec()].concat(),
        [b"\"".to_vec(), long("\\u0001", MEGABYTE / 7), b"\"".to_vec()].concat(),
        [b"[".to_vec(), long("1,", MEGABYTE / 3), b"1]".to_vec()].concat(),
        [b"{".to_vec(), long("\"\":{},", MEGABYTE / 7), b"\"\":0}".to_vec()].concat(),
    ]);
    values
}

/// `valid` with each of its fields, and one that is unknown, set to each of [`values`], then twice.
fn lines(valid: &Value) -> Vec<Vec<u8>> {
    let mut lines = values();
    let fields: Vec<_> = valid.as_object().unwrap().keys().cloned().collect();
    let values = values();
    for field in fields.iter().map(String::as_str).chain(["unknown", "", "__proto__"]) {
        let mut others = valid.clone();
        others.as_object_mut().unwrap().remove(field);
        let others = others.to_string().into_bytes();
        for value in &values {
            let own = [format!("\"{field}\":").as_bytes(), value].concat();
            lines.push([&others[..others.len() - 1], b",", &own, b"}"].concat());
        }
        // Which of two counts must not depend on who reads.
        let twice = format!("\"{field}\":\"A\",\"{field}\":\"B\"");
        lines.push([&others[..others.len() - 1], b",", twice.as_bytes(), b"}"].concat());
    }
    let valid = valid.to_string().into_bytes();
    lines.push([b"\xef\xbb\xbf".as_slice(), &valid].concat());
    lines.push([&valid, b"\n".as_slice(), &valid].concat());
    lines.push([&valid, b"garbage".as_slice()].concat());
    lines.push([" ".repeat(MEGABYTE / 2).as_bytes(), &valid].concat());
    lines.push(valid[..valid.len() / 2].to_vec());
    lines.push(Vec::new());
    lines
}

fn message() -> Value {
    json!({"id": "1", "from": "A", "to": "Me", "type": "direct", "content": "hi", "timestamp": 1, "site_id": "s"})
}

fn manager() -> Manager {
    Manager::new(PeerId::parse("Me").unwrap(), Arc::new(Nowhere), None)
}

/// Gives the line to a fresh chat as a message of `A`, and checks what comes of it.
fn receive(runtime: &tokio::runtime::Runtime, line: &[u8]) -> bool {
    let shown = || String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
    runtime.block_on(async {
        let chat = manager();
        let outcome = chat.receive(&PeerId::parse("A").unwrap(), line).await;
        let kept = chat.history(HistoryPage::default()).await.unwrap();
        match outcome {
            Ok(()) => {
                let message = &kept[0].message;
                assert_eq!((kept.len(), message.from.as_str()), (1, "A"), "{}", shown());
                assert!((1..=128).contains(&message.id.len()), "{}", shown());
                // What was kept can be sent on and is read as the same by whoever gets it.
                let again = message.encode().unwrap();
                assert_eq!(Message::decode(&again, &message.from, 1).unwrap(), *message, "{}", shown());
                true
            }
            Err(error) => {
                assert!(error.to_string().len() <= MAX_ERROR_BYTES, "{}", error.to_string().len());
                assert!(kept.is_empty(), "{}", shown());
                false
            }
        }
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn no_chat_message_is_too_much() {
    let (runtime, begun) = (runtime(), Instant::now());
    let accepted = lines(&message()).iter().filter(|line| receive(&runtime, line)).count();
    assert!(accepted > 50, "{accepted}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

fn requests() -> Vec<Value> {
    vec![
        json!({"op": "query", "table": "opened", "columns": ["title"], "where": "stars = ?", "args": [1],
               "limit": 5, "offset": 0}),
        json!({"op": "insert", "table": "opened", "data": {"title": "t"}}),
        json!({"op": "update", "table": "opened", "id": 3, "data": {"title": "t"}}),
        json!({"op": "create-table", "name": "x", "insert_policy": "open",
               "column_defs": [{"name": "a", "type": "TEXT", "not_null": true, "default": 1}]}),
        json!({"op": "add-column", "table": "opened", "column": {"name": "a"}}),
        json!({"op": "rename-table", "old_name": "opened", "new_name": "x"}),
        json!({"op": "lua-call", "function": "f", "params": {"a": 1}}),
    ]
}

/// Gives the line to the host as a request of ana, and checks the answer.
fn ask(host: &Host, line: &[u8]) {
    let answer = host.line("ana", line);
    let shown = || String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
    if answer["ok"] != true {
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("{}: {answer}", shown()));
        assert!(!error.is_empty() && error.len() <= MAX_ERROR_BYTES, "{}: {}", shown(), error.len());
    }
}

fn patient_host() -> Host {
    Host::with_rows().reconfigured(&DataConfig { visitor_writes_per_minute: 6000, ..DataConfig::default() })
}

/// The rows of others, as the host sees them.
fn rows_of_others(host: &Host) -> Value {
    host.data("host", json!({"op": "query", "table": "opened", "where": "_owner <> 'ana'"}))
}

#[test]
fn no_data_request_is_too_much() {
    let (host, begun) = (patient_host(), Instant::now());
    let before = rows_of_others(&host);
    let tables = host.data("host", json!({"op": "tables"}));
    for request in requests() {
        lines(&request).iter().for_each(|line| ask(&host, line));
    }
    assert_eq!(rows_of_others(&host), before);
    assert_eq!(host.data("host", json!({"op": "tables"})), tables);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// A valid line with some bytes changed, put in or left out.
fn damaged(valid: Vec<Value>) -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![prop::sample::select(b"\"\\{}[]:,0-e.u \n\0\xff\xc3".to_vec()), any::<u8>(),];
    let change = (any::<prop::sample::Index>(), 0..3usize, prop::collection::vec(bytes, 0..4));
    (prop::sample::select(valid), prop::collection::vec(change, 0..4)).prop_map(|(valid, changes)| {
        let mut line = valid.to_string().into_bytes();
        for (place, removed, put_in) in changes {
            let at = place.index(line.len() + 1);
            let end = (at + removed).min(line.len());
            line.splice(at..end, put_in);
        }
        line
    })
}

#[test]
fn damaged_lines_are_refused_or_understood() {
    let config = || ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) };
    let runtime = runtime();
    proptest!(config(), |(line in damaged(vec![message()]))| {
        receive(&runtime, &line);
    });
    let host = patient_host();
    let before = rows_of_others(&host);
    proptest!(config(), |(line in damaged(requests()))| {
        ask(&host, &line);
    });
    assert_eq!(rows_of_others(&host), before);
}
