//! The data protocol as a visitor meets it: lines in, lines out.

use std::sync::Arc;

use goop2::config::DataConfig;
use goop2::data::{EmailDirectory, Handler};
use goop2::peer_id::PeerId;
use goop2::script::Caller;
use goop2::store::{Database, Policy};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A host with one table of each policy and rows of the host, ana and bob in each.
pub(super) struct Host {
    folder: TempDir,
    handler: Handler,
    runtime: tokio::runtime::Runtime,
}

/// Only ana has an e-mail.
struct Emails;

impl EmailDirectory for Emails {
    fn email_of(&self, peer: &PeerId) -> Option<String> {
        (peer.as_str() == "ana").then(|| "ana@example.org".to_owned())
    }
}

const SCHEMA: &str = "
    CREATE TABLE closed (title TEXT, stars INTEGER);
    CREATE TABLE mailed (title TEXT, stars INTEGER);
    CREATE TABLE opened (title TEXT, stars INTEGER);
    CREATE TABLE shared (title TEXT, stars INTEGER);
    CREATE TABLE secrets (word TEXT);
    INSERT INTO secrets VALUES ('swordfish');
";

impl Host {
    pub(super) fn new() -> Self {
        Self::with_schema(SCHEMA)
    }

    pub(super) fn with_schema(schema: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path()).unwrap();
        let policies = [
            ("closed", Policy::Owner),
            ("mailed", Policy::Email),
            ("opened", Policy::Open),
            ("shared", Policy::Public),
            ("secrets", Policy::Open),
            ("numbered", Policy::Open),
        ];
        let policies = policies.into_iter().map(|(name, policy)| (name.to_owned(), policy)).collect();
        database.apply_schema(&PeerId::parse("host").unwrap(), schema, &policies).unwrap();
        Self::of(folder, database, &DataConfig::default())
    }

    pub(super) fn with_rows() -> Self {
        let host = Self::new();
        for peer in ["host", "ana", "bob"] {
            for number in 1..=2 {
                let row = json!({"title": format!("{peer}-{number}"), "stars": number});
                host.data(peer, json!({"op": "insert", "table": "opened", "data": row}));
                host.data(peer, json!({"op": "insert", "table": "shared", "data": row}));
            }
        }
        host.data("host", json!({"op": "insert", "table": "closed", "data": {"title": "news", "stars": 5}}));
        host
    }

    /// A host that lets visitors keep what `config` says.
    pub(super) fn configured(config: &DataConfig) -> Self {
        Self::new().reconfigured(config)
    }

    /// The same host after its owner changed what visitors may keep.
    pub(super) fn reconfigured(self, config: &DataConfig) -> Self {
        Self { handler: self.handler.with_config(config), ..self }
    }

    /// The host of a folder that is there already.
    pub(super) fn of(folder: TempDir, database: Database, config: &DataConfig) -> Self {
        let handler = Handler::new(Some(Arc::new(database)), None, PeerId::parse("host").unwrap())
            .with_emails(Arc::new(Emails))
            .with_config(config);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { folder, handler, runtime }
    }

    /// Its peer folder.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(super) fn line(&self, peer: &str, line: &[u8]) -> Value {
        let caller = Caller { peer: PeerId::parse(peer).unwrap(), label: String::new() };
        let answer = self.runtime.block_on(self.handler.respond(&caller, line));
        assert_eq!(answer.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert!(answer.ends_with(b"\n"));
        serde_json::from_slice(&answer).unwrap()
    }

    /// The answer to a peer that comes from `origin`.
    pub(super) async fn from(&self, origin: &str, peer: &str, request: Value) -> Value {
        let caller = Caller { peer: PeerId::parse(peer).unwrap(), label: String::new() };
        let answer = self.handler.respond_from(&caller, origin, request.to_string().as_bytes()).await;
        serde_json::from_slice(&answer).unwrap()
    }

    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(super) fn ask(&self, peer: &str, request: Value) -> Value {
        self.line(peer, format!("{request}\n").as_bytes())
    }

    pub(super) fn data(&self, peer: &str, request: Value) -> Value {
        let answer = self.ask(peer, request);
        assert_eq!(answer["ok"], true, "{answer}");
        answer["data"].clone()
    }

    pub(super) fn error(&self, peer: &str, request: Value) -> String {
        let answer = self.ask(peer, request);
        assert_eq!(answer["ok"], false, "{answer}");
        answer["error"].as_str().unwrap().to_owned()
    }

    pub(super) fn titles(&self, peer: &str, request: Value) -> Vec<String> {
        let rows = self.data(peer, request);
        rows.as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
    }
}

pub(super) fn filter(text: &str) -> Value {
    json!({"op": "query", "table": "opened", "columns": ["title"], "where": text})
}

#[test]
fn the_owner_of_a_row_is_the_authenticated_peer() {
    let host = Host::new();
    let inserted = host.data("ana", json!({"op": "insert", "table": "opened", "data": {"title": "t"}}));
    assert_eq!(inserted, json!({"status": "inserted", "id": 1}));
    let rows = host.data("ana", json!({"op": "query", "table": "opened"}));
    assert_eq!(rows[0]["_owner"], "ana");
    assert_eq!(rows[0]["_owner_email"], "ana@example.org");
    for column in ["_owner", "_id", "_OWNER_EMAIL", "_created_at"] {
        let error = host.error("bob", json!({"op": "insert", "table": "opened", "data": {column: "ana"}}));
        assert_eq!(error, format!("column {column} is kept by the host and can't be set"));
        let request = json!({"op": "update", "table": "opened", "id": 1, "data": {column: "bob"}});
        assert!(host.error("ana", request).contains("kept by the host"));
    }
}

#[test]
fn policies_say_who_adds_rows() {
    let host = Host::new();
    let insert = |peer: &str, table: &str| {
        host.ask(peer, json!({"op": "insert", "table": table, "data": {"title": "t"}}))["ok"] == true
    };
    let allowed = |table: &str| [insert("host", table), insert("ana", table), insert("bob", table)];
    assert_eq!(allowed("closed"), [true, false, false]);
    assert_eq!(allowed("mailed"), [true, true, false]);
    assert_eq!(allowed("opened"), [true, true, true]);
    assert_eq!(allowed("shared"), [true, true, true]);
    let error = |table: &str| host.error("bob", json!({"op": "insert", "table": table, "data": {}}));
    assert_eq!(error("closed"), "table closed takes rows from its owner only");
    assert_eq!(error("mailed"), "table mailed takes rows from peers with an e-mail in their profile only");
}

#[test]
fn policies_say_who_reads_which_rows() {
    let host = Host::with_rows();
    let titles = |peer: &str, table: &str| host.titles(peer, json!({"op": "query", "table": table}));
    assert_eq!(titles("ana", "opened"), ["ana-1", "ana-2"]);
    assert_eq!(titles("cyd", "opened"), Vec::<String>::new());
    assert_eq!(titles("host", "opened").len(), 6);
    assert_eq!(titles("bob", "shared").len(), 6);
    assert_eq!(titles("bob", "closed"), ["news"]);
}

#[test]
fn rows_are_changed_by_who_owns_them_and_by_the_host() {
    let host = Host::with_rows();
    let update = |id: i64| json!({"op": "update", "table": "shared", "id": id, "data": {"title": "new"}});
    // Ana's rows are 3 and 4, bob's 5 and 6.
    assert_eq!(host.data("ana", update(3)), json!({"status": "updated"}));
    assert_eq!(host.error("ana", update(5)), "shared has no row 5 that is yours");
    assert_eq!(host.error("ana", update(99)), "shared has no row 99 that is yours");
    assert_eq!(host.data("host", update(5)), json!({"status": "updated"}));
    let delete = |id: i64| json!({"op": "delete", "table": "shared", "id": id});
    assert!(host.error("bob", delete(3)).contains("no row 3"));
    assert_eq!(host.data("bob", delete(5)), json!({"status": "deleted"}));
    assert_eq!(
        host.titles("bob", json!({"op": "query", "table": "shared", "where": "title = 'new'"})),
        ["new"]
    );
}

#[test]
fn queries_choose_columns_and_pages() {
    let host = Host::with_rows();
    let rows = host.data(
        "ana",
        json!({"op": "query", "table": "opened", "columns": ["stars"], "limit": 1, "offset": 1}),
    );
    assert_eq!(rows, json!([{"stars": 2}]));
    assert_eq!(
        host.error("ana", json!({"op": "query", "table": "opened", "columns": ["word"]})),
        "table opened has no column word"
    );
    let crafted = json!({"op": "query", "table": "opened", "columns": ["1 FROM secrets --"]});
    assert!(host.error("ana", crafted).starts_with("field columns: a column name"));
    assert_eq!(
        host.error("ana", json!({"op": "query", "table": "opened", "limit": -1})),
        "field limit: expected a whole number from 0, found the number -1"
    );
    for number in 0..1100 {
        host.data("host", json!({"op": "insert", "name": "shared", "data": {"stars": number}}));
    }
    let count = |request: Value| host.data("ana", request).as_array().unwrap().len();
    assert_eq!(count(json!({"op": "query", "table": "shared"})), 100);
    assert_eq!(count(json!({"op": "query", "table": "shared", "limit": 5000})), 1000);
}

#[test]
fn the_hosts_own_tables_are_out_of_reach() {
    let host = Host::with_rows();
    for table in ["_tables", "sqlite_schema", "SQLITE_MASTER", "opened; DROP TABLE opened", "opened\"", ""] {
        for op in ["query", "describe", "insert", "update", "delete", "delete-table"] {
            let request = json!({"op": op, "table": table, "id": 1, "data": {"name": "x"}});
            assert!(host.error("host", request).starts_with("field table: "), "{op} {table}");
        }
    }
    assert_eq!(host.error("ana", json!({"op": "query", "table": "nothing"})), "no such table: nothing");
}

#[test]
fn tables_are_listed_and_described() {
    let host = Host::new();
    let tables = host.data("bob", json!({"op": "tables"}));
    let names: Vec<&str> =
        tables.as_array().unwrap().iter().map(|table| table["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["closed", "mailed", "opened", "secrets", "shared"]);
    assert_eq!(tables[2]["insert_policy"], "open");
    assert!(tables[2]["created_at"].as_str().unwrap().starts_with("20"));
    let columns = host.data("bob", json!({"op": "describe", "table": "opened"}));
    assert_eq!(
        columns[0],
        json!({"cid": 0, "name": "_id", "type": "INTEGER", "not_null": false, "default": null, "pk": true})
    );
    assert_eq!(columns[5]["name"], "title");
}

#[test]
fn only_the_owner_changes_tables() {
    let host = Host::new();
    let requests = [
        json!({"op": "create-table", "name": "pages", "insert_policy": "public", "column_defs": [
            {"name": "title", "type": "TEXT", "not_null": true, "default": "none"},
            {"name": "at", "type": "datetime", "default": "CURRENT_TIMESTAMP"},
        ]}),
        json!({"op": "add-column", "table": "pages", "column": {"name": "body", "type": "text"}}),
        json!({"op": "add-column", "table": "pages", "column": "more"}),
        json!({"op": "drop-column", "table": "pages", "column": "more"}),
        json!({"op": "rename-table", "old_name": "pages", "new_name": "leaves"}),
        json!({"op": "delete-table", "table": "leaves"}),
    ];
    for request in requests {
        let op = request["op"].as_str().unwrap().to_owned();
        let error = host.error("ana", request.clone());
        assert_eq!(error, format!("{op} is for the owner of this peer only"));
        host.data("host", request);
        if op == "drop-column" {
            host.data("ana", json!({"op": "insert", "table": "pages", "data": {"body": "b"}}));
            let rows =
                host.data("bob", json!({"op": "query", "table": "pages", "columns": ["title", "body"]}));
            assert_eq!(rows, json!([{"title": "none", "body": "b"}]));
        }
    }
    assert_eq!(host.data("host", json!({"op": "tables"})).as_array().unwrap().len(), 5);
}

#[test]
fn requests_are_checked_and_bounded() {
    let host = Host::new();
    let error = |line: &str| {
        let answer = host.line("ana", line.as_bytes());
        assert_eq!(answer["ok"], false, "{line}");
        answer["error"].as_str().unwrap().to_owned()
    };
    assert!(error("hello").starts_with("the request is not JSON: "));
    assert_eq!(error("[]"), "the request is not a JSON object");
    assert_eq!(error("{}"), "field op is missing");
    assert_eq!(error(r#"{"op": "exec"}"#), "unknown op \"exec\"");
    assert_eq!(error(r#"{"op": 1}"#), "field op: expected a string, found the number 1");
    assert_eq!(error(r#"{"op": "query"}"#), "field table is missing");
    assert_eq!(error(r#"{"op": "insert", "table": "opened"}"#), "field data is missing");
    let nested = r#"{"op": "insert", "table": "opened", "data": {"title": {"a": 1}}}"#;
    assert!(error(nested).starts_with("field data.title: expected a string, number, boolean or null"));
    assert_eq!(
        error(r#"{"op": "delete", "table": "opened", "id": "1"}"#),
        "field id: expected an integer, found a string"
    );
    assert!(error(&"[".repeat(1_000)).contains("recursion limit"));
    let objects =
        format!(r#"{{"op": "lua-call", "function": "f", "params": [{}0]}}"#, r#"{"":0},"#.repeat(100_000));
    assert!(error(&objects).starts_with("the request holds too many values"));
    assert!(error(&"x".repeat(1024 * 1024 + 1)).starts_with("the request is 1048577 bytes long"));
    let large = json!({"op": "insert", "table": "opened", "data": {"title": "x".repeat(65_537)}});
    assert_eq!(
        host.error("ana", large.clone()),
        "field data.title: a value has at most 65536 bytes, found 65537"
    );
    host.data("host", large);
    let update = json!({"op": "update", "table": "opened", "id": 1, "data": {"title": "x".repeat(65_537)}});
    assert!(host.error("ana", update).contains("at most 65536 bytes"));
}

#[test]
fn results_over_one_mebibyte_are_refused() {
    let host = Host::new();
    for _ in 0..17 {
        host.data("ana", json!({"op": "insert", "table": "opened", "data": {"title": "x".repeat(65_536)}}));
    }
    let error = host.error("ana", json!({"op": "query", "table": "opened"}));
    assert_eq!(error, "the query's result is larger than 1048576 bytes: ask for fewer rows or columns");
    assert_eq!(host.titles("ana", json!({"op": "query", "table": "opened", "limit": 10})).len(), 10);
}

#[test]
fn without_scripts_or_tables_the_answer_says_so() {
    let host = Host::new();
    let disabled = "Lua scripting is disabled on this peer";
    assert_eq!(
        host.error("ana", json!({"op": "lua-call", "function": "score-quiz", "params": {}})),
        disabled
    );
    assert_eq!(host.error("ana", json!({"op": "lua-list"})), disabled);
    let bare = Host { handler: Handler::new(None, None, PeerId::parse("host").unwrap()), ..host };
    assert_eq!(bare.error("ana", json!({"op": "tables"})), "this peer has no database");
}

#[test]
fn a_visitor_cannot_take_the_last_row_number() {
    let numbered = "CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT);";
    let host = Host::with_schema(&format!("{SCHEMA}{numbered}"));
    for column in ["rowid", "oid"] {
        let row = json!({column: i64::MAX, "title": "t"});
        let error = host.error("bob", json!({"op": "insert", "table": "opened", "data": row}));
        assert_eq!(error, format!("table opened has no column {column}"));
    }
    let error = host
        .error("bob", json!({"op": "insert", "table": "numbered", "data": {"ID": i64::MAX, "word": "w"}}));
    assert_eq!(error, "column ID numbers the rows of numbered: the host chooses it");
    for table in ["opened", "numbered"] {
        let inserted = host.data("bob", json!({"op": "insert", "table": table, "data": {}}));
        assert_eq!(inserted["id"], 1);
        for column in ["rowid", "id"] {
            host.error("bob", json!({"op": "update", "table": table, "id": 1, "data": {column: i64::MAX}}));
        }
        assert_eq!(host.data("ana", json!({"op": "insert", "table": table, "data": {}}))["id"], 2);
    }
}
