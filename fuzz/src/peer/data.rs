//! The data protocol, as visitors use it.
//!
//! The host has rows of three peers and a word that nobody may read. Whatever Ana asks, no answer
//! holds the word or a row of another peer, and each answer is one line of JSON.

use std::sync::Arc;
use std::thread_local;
use std::time::{Duration, Instant};

use goop2::data::Handler;
use goop2::peer_id::PeerId;
use goop2::script::Caller;
use goop2::store::{Database, Policy};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const SCHEMA: &str = "
    CREATE TABLE opened (title TEXT, stars INTEGER);
    CREATE TABLE secrets (word TEXT);
    INSERT INTO secrets VALUES ('swordfish');
";

/// A query runs 2 s at most.
const MAX_TIME: Duration = Duration::from_secs(4);

/// How many requests one host gets: visitors add rows.
const MAX_REQUESTS: u32 = 1_000;

struct Host {
    _folder: TempDir,
    handler: Handler,
    runtime: Runtime,
    requests: u32,
}

thread_local! {
    static HOST: std::cell::RefCell<Option<Host>> = const { std::cell::RefCell::new(None) };
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(folder.path()).expect("a database");
        let policies = ["opened", "secrets"].map(|table| (table.to_owned(), Policy::Open)).into();
        let owner = PeerId::parse("host").expect("a name");
        database.apply_schema(&owner, SCHEMA, &policies).expect("the schema holds");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let handler = Handler::new(Some(Arc::new(database)), None, owner);
        let mut host = Self { _folder: folder, handler, runtime, requests: 0 };
        for peer in ["host", "ana", "bob"] {
            for number in 1..=2 {
                let row = json!({"title": format!("row of {peer}"), "stars": number});
                let request = json!({"op": "insert", "table": "opened", "data": row});
                assert_eq!(host.line(peer, request.to_string().as_bytes())["ok"], true);
            }
        }
        host
    }

    fn line(&mut self, peer: &str, line: &[u8]) -> Value {
        self.requests += 1;
        let caller = Caller { peer: PeerId::parse(peer).expect("a name"), label: String::new() };
        let before = Instant::now();
        let answer = self.runtime.block_on(self.handler.respond(&caller, line));
        assert!(before.elapsed() < MAX_TIME, "an answer took {:?}", before.elapsed());
        assert!(answer.ends_with(b"\n") && answer.iter().filter(|byte| **byte == b'\n').count() == 1);
        serde_json::from_slice(&answer).expect("an answer is JSON")
    }
}

fn ask(line: &[u8]) -> Value {
    HOST.with_borrow_mut(|host| {
        if host.as_ref().is_some_and(|host| host.requests >= MAX_REQUESTS) {
            *host = None;
        }
        host.get_or_insert_with(Host::new).line("ana", line)
    })
}

/// Sends `line` as Ana's request.
///
/// # Panics
/// When the answer is not one line, tells what is not hers, or is an internal error.
pub fn check_line(line: &[u8]) {
    let answer = ask(line);
    let text = answer.to_string();
    // What she sends may come back to her.
    for secret in ["swordfish", "row of bob", "row of host"] {
        let hers = line.windows(secret.len()).any(|piece| piece == secret.as_bytes());
        assert!(hers || line.contains(&b'\\') || !text.contains(secret), "{text}");
    }
    if answer["ok"] != true {
        let error = answer["error"].as_str().expect("a reason");
        assert!(!error.starts_with("internal error"), "{error}");
    }
}

/// Asks for Ana's rows where `filter` holds.
///
/// # Panics
/// As [`check_line`], and when the filter is accepted but is no SQL.
pub fn check_filter(filter: &str) {
    let request = json!({"op": "query", "table": "opened", "where": filter});
    let answer = ask(request.to_string().as_bytes());
    for row in answer["data"].as_array().into_iter().flatten() {
        assert_eq!(row["_owner"], "ana", "{answer}");
    }
    if let Some(error) = answer["error"].as_str() {
        assert!(!error.starts_with("internal error"), "{error}");
        assert!(!error.contains("syntax error") && !error.contains("no such"), "SQLite refuses: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_requests_pass() {
        check_line(br#"{"op":"query","table":"opened"}"#);
        check_line(b"{}");
        check_filter("stars > 1 OR title LIKE '%bob%'");
        assert_eq!(ask(br#"{"op":"query","table":"opened"}"#)["data"].as_array().map(Vec::len), Some(2));
    }
}
