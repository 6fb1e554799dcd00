//! A deployed peer's folder opens unchanged, and stays what it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli_support::{RunningPeer, fixture, goop2};

/// Who the folder's peer is. Its key and the visitors' are the first three of RFC 8032, section 7.1.
pub(crate) const HOST: &str = "12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV";
/// Who visits it, and has rows in its tables.
pub(crate) const VISITOR: &str = "12D3KooWDwTirQce1RRKnasT5fPVFgzXCy6SiRgSwrwPGLC7zE91";
/// The visitor's key file.
pub(crate) const VISITOR_KEY: &str = "08011240\
    4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb\
    3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

/// A copy of the deployed peer's folder, with its database made from `data.sql`.
pub(crate) fn deployed_peer() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("peer");
    for file in files(&fixture("deployed-peer")) {
        if file == Path::new("data.sql") {
            continue;
        }
        fs::create_dir_all(dir.join(&file).parent().unwrap()).unwrap();
        fs::copy(fixture("deployed-peer").join(&file), dir.join(&file)).unwrap();
    }
    let sql = fs::read_to_string(fixture("deployed-peer/data.sql")).unwrap();
    rusqlite::Connection::open(dir.join("data.db")).unwrap().execute_batch(&sql).unwrap();
    // A version control system keeps no modes.
    #[cfg(unix)]
    fs::set_permissions(dir.join("data/identity.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    (temp, dir)
}

/// The files below `dir`, by their paths in it.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(dir).unwrap().to_owned());
            }
        }
    }
    found
}

/// Every file but the database, with its mode and bytes.
fn contents(dir: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let of = |file: &PathBuf| {
        #[cfg(unix)]
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(dir.join(file)).unwrap().permissions());
        #[cfg(not(unix))]
        let mode = 0;
        (mode, fs::read(dir.join(file)).unwrap())
    };
    let files = files(dir).into_iter().filter(|file| !file.to_str().unwrap().starts_with("data.db"));
    files.map(|file| (file.clone(), of(&file))).collect()
}

/// What the database holds: every schema entry, and every row of every table.
fn rows(dir: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(dir.join("data.db")).unwrap();
    let texts = |sql: &str| -> Vec<Vec<String>> {
        let mut statement = database.prepare(sql).unwrap();
        let columns = statement.column_count();
        let text = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|at| row.get_ref(at).map(|value| format!("{value:?}"))).collect()
        };
        statement.query_map([], text).unwrap().map(Result::unwrap).collect()
    };
    // An index that counts a visitor's rows is added, which changes nothing for another program.
    let schema = texts(
        "SELECT type, name, sql FROM sqlite_schema WHERE substr(name, 1, 11) <> '_owners_of_' ORDER BY type, name",
    );
    let names = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap()
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    let rows = names.iter().flat_map(|name| texts(&format!("SELECT '{name}', * FROM \"{name}\" ORDER BY 2")));
    schema.into_iter().chain(rows).map(|row| row.join(" | ")).collect()
}

#[test]
fn a_deployed_peers_folder_opens_and_stays_as_it_was() {
    let (_temp, dir) = deployed_peer();
    let (files_before, rows_before) = (contents(&dir), rows(&dir));
    assert!(files_before.len() >= 6 && rows_before.len() > 20, "{files_before:?} {rows_before:?}");

    let peer = RunningPeer::start(&dir);
    assert_eq!(peer.ready["peer_id"], HOST);
    let visit = |command: &str, args: &[&str]| goop2([&[command, peer.address()], args].concat()).succeeded();
    let page = fs::read_to_string(dir.join("site/index.html")).unwrap();
    assert_eq!(visit("get", &["/"]).stdout, page);
    assert_eq!(
        visit("functions", &[]).stdout,
        "hello      Greet the visitor\n           at most 20 calls a minute\ntop-score  Tell the best score of a game\n"
    );
    let greeting = json!({"greeting": "Hello, Zoë!", "host": "Ada's peer"});
    assert_eq!(visit("call", &["hello", r#"{"name": "Zoë"}"#]).json(), greeting);
    let tables = visit("data", &[r#"{"op": "tables"}"#]).json();
    assert_eq!(tables["data"].as_array().unwrap().len(), 5);
    let entries = visit("data", &[r#"{"op": "query", "table": "guestbook"}"#]).json();
    assert_eq!(entries["data"][1]["text"], "Nice place");
    peer.stop().succeeded();

    let mut files = contents(&dir);
    // The files of our own.
    for own in ["data/chat.db", "data/peer.lock"] {
        assert!(files.remove(Path::new(own)).is_some(), "{own}");
    }
    let changed: Vec<_> =
        files.iter().filter(|(name, file)| files_before.get(*name) != Some(*file)).collect();
    assert!(
        changed.is_empty(),
        "changed or new: {:?}",
        changed.iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    assert_eq!(files.len(), files_before.len(), "gone");
    assert_eq!(rows(&dir), rows_before);
}

#[test]
fn what_a_deployed_peer_kept_is_gone_on_with() {
    let (temp, dir) = deployed_peer();
    let key = temp.path().join("visitor.key");
    fs::write(&key, crate::interop_peer::from_hex(VISITOR_KEY)).unwrap();
    let peer = RunningPeer::start(&dir);
    let identity = ["--identity", key.to_str().unwrap()];
    let visit = |command: &str, args: &[&str]| goop2([&[command, peer.address()], args, &identity].concat());

    assert_eq!(visit("chat", &["!visits"]).succeeded().stdout, "Visit 42\n");
    let own = visit("data", &[r#"{"op": "query", "table": "scores"}"#]).succeeded().json();
    assert_eq!(own["data"].as_array().unwrap().len(), 1, "the visitor's own row: {own}");
    assert_eq!(own["data"][0]["_owner"], VISITOR);
    let insert = r#"{"op": "insert", "table": "scores", "data": {"game_id": "snake", "score": 8}}"#;
    assert_eq!(visit("data", &[insert]).succeeded().json()["data"]["id"], 3);
    visit("data", &[r#"{"op": "delete", "table": "scores", "id": 2}"#]).failed(1, "no row 2");
    peer.stop().succeeded();

    let state = fs::read_to_string(dir.join("site/lua/.state/visits.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state, json!({"count": "42", "last_mood": "sunny"}));
}
