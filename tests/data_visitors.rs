//! What one visitor may write, and what they may read of others who wrote.

use goop2::config::DataConfig;
use goop2::store::{Database, MAX_DATABASE_BYTES, MAX_VISITORS_BYTES};
use serde_json::{Value, json};

use super::data::Host;

fn insert(table: &str, title: &str) -> Value {
    json!({"op": "insert", "table": table, "data": {"title": title}})
}

/// Enough changes a minute that only the other limits are met.
fn generous() -> DataConfig {
    DataConfig { visitor_writes_per_minute: 6000, ..DataConfig::default() }
}

/// 511 rows of 512 KiB once filled the database for everyone.
#[test]
fn one_visitor_cannot_fill_the_database() {
    let host = Host::configured(&generous());
    let large = "x".repeat(60_000);
    let mut kept = 0;
    let refused = loop {
        let answer = host.ask("bob", insert("opened", &large));
        if answer["ok"] != true {
            break answer["error"].as_str().unwrap().to_owned();
        }
        kept += 1;
        assert!(kept < 1000, "no limit was met");
    };
    assert_eq!(kept, 139);
    let expected = "and one visitor may keep 8388608 on this peer: delete some first";
    assert!(refused.starts_with("your rows would take 84") && refused.ends_with(expected), "{refused}");
    // Neither by another table, nor by making a row longer.
    assert_eq!(host.ask("bob", insert("shared", &large))["ok"], false);
    host.data("bob", insert("shared", ""));
    let grow = json!({"op": "update", "table": "shared", "id": 1, "data": {"title": large}});
    assert!(host.error("bob", grow).ends_with(expected));
    // Others and the owner go on, and so does who makes room.
    host.data("ana", insert("opened", &large));
    host.data("host", insert("opened", &large));
    host.data("bob", json!({"op": "delete", "table": "opened", "id": 1}));
    host.data("bob", insert("shared", &large));
}

#[test]
fn rows_are_counted_over_all_tables() {
    let host = Host::configured(&DataConfig { visitor_max_rows: 3, ..DataConfig::default() });
    for table in ["opened", "shared", "opened"] {
        host.data("bob", insert(table, "t"));
    }
    let refused = "one visitor may keep 3 rows on this peer, and you have them: delete some first";
    assert_eq!(host.error("bob", insert("shared", "t")), refused);
    // A change of a row is no new row, even if it is longer.
    host.data("bob", json!({"op": "update", "table": "shared", "id": 1, "data": {"title": "longer"}}));
    // Rows follow their table's new name, and those of a deleted table are gone.
    host.data("host", json!({"op": "rename-table", "old_name": "shared", "new_name": "common"}));
    assert_eq!(host.error("bob", insert("common", "t")), refused);
    host.data("host", json!({"op": "delete-table", "table": "common"}));
    host.data("bob", insert("opened", "t"));
    assert_eq!(host.error("bob", insert("opened", "t")), refused);
}

#[test]
fn who_is_over_a_lowered_limit_can_still_shorten_and_delete() {
    let host = Host::configured(&generous());
    for _ in 0..20 {
        host.data("bob", insert("opened", &"x".repeat(60_000)));
    }
    let host = host.reconfigured(&DataConfig { visitor_max_mb: 1, ..generous() });
    assert!(host.error("bob", insert("opened", "t")).contains("may keep 1048576"));
    let update = |title: &str| json!({"op": "update", "table": "opened", "id": 1, "data": {"title": title}});
    assert!(host.error("bob", update(&"x".repeat(60_001))).contains("may keep 1048576"));
    host.data("bob", update("short"));
    for id in 2..=4 {
        host.data("bob", json!({"op": "delete", "table": "opened", "id": id}));
    }
    host.data("bob", insert("opened", "t"));
}

/// Identities are free, so what each may keep does not bound what all keep.
#[test]
fn all_visitors_together_leave_room_for_the_owner() {
    let host = Host::configured(&DataConfig { visitor_max_mb: 192, ..generous() });
    // The host's own rows are the quickest way to a full file.
    let large = "x".repeat(1024 * 1000);
    let filling = MAX_VISITORS_BYTES / 1_020_000 + 1;
    for _ in 0..filling {
        host.data("host", insert("closed", &large));
    }
    let refused = host.error("bob", insert("opened", "t"));
    assert!(refused.starts_with("visitors fill the 192 MiB that this peer keeps for them"), "{refused}");
    host.data("host", insert("closed", &large));
    assert!(std::fs::metadata(host.folder().join("data.db")).unwrap().len() < MAX_DATABASE_BYTES);
}

#[test]
fn changes_come_at_a_bounded_rate() {
    let host = Host::configured(&DataConfig { visitor_writes_per_minute: 3, ..DataConfig::default() });
    host.data("bob", insert("opened", "t"));
    host.data("bob", json!({"op": "update", "table": "opened", "id": 1, "data": {"title": "u"}}));
    host.data("bob", json!({"op": "delete", "table": "opened", "id": 1}));
    let refused = host.error("bob", insert("opened", "t"));
    assert!(refused.starts_with("Rate limited: one visitor may make 3 changes a minute, try again in "));
    assert!(refused.ends_with(" s"), "{refused}");
    // Reading is not changing, and others and the owner are not bob.
    host.data("bob", json!({"op": "query", "table": "opened"}));
    host.data("ana", insert("opened", "t"));
    for _ in 0..5 {
        host.data("host", insert("opened", "t"));
    }
}

/// A folder of a deployed peer has no index of ours, and rows that we did not count.
#[test]
fn rows_that_came_before_this_host_count_too() {
    let folder = tempfile::tempdir().unwrap();
    let deployed = rusqlite::Connection::open(folder.path().join("data.db")).unwrap();
    deployed
        .execute_batch(
            "CREATE TABLE _tables (name TEXT PRIMARY KEY, schema TEXT NOT NULL, insert_policy TEXT, created_at DATETIME);
             CREATE TABLE notes (_id INTEGER PRIMARY KEY AUTOINCREMENT, _owner TEXT NOT NULL, _owner_email TEXT,
                _created_at DATETIME, _updated_at DATETIME, title TEXT, \"odd \"\"name\" BLOB);
             INSERT INTO _tables VALUES ('notes', '', 'open', NULL), ('gone', '', 'open', NULL);
             INSERT INTO notes (_owner, title) VALUES ('bob', 'a'), ('bob', 'b'), ('ana', 'c');",
        )
        .unwrap();
    drop(deployed);
    let database = Database::open(folder.path()).unwrap();
    let host = Host::of(folder, database, &DataConfig { visitor_max_rows: 2, ..DataConfig::default() });
    assert!(host.error("bob", insert("notes", "t")).contains("may keep 2 rows"));
    host.data("ana", insert("notes", "t"));
    let index = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'notes'";
    let connection = rusqlite::Connection::open(host.folder().join("data.db")).unwrap();
    assert_eq!(connection.query_row(index, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

/// Changes that wait for the disk, under fourteen names: another address must not notice, and reading needs no
/// writer's turn.
#[test]
fn one_address_with_many_names_keeps_nobody_waiting() {
    let host = Host::with_rows();
    let other_program = rusqlite::Connection::open(host.folder().join("data.db")).unwrap();
    other_program.execute_batch("BEGIN IMMEDIATE").unwrap();
    let names: Vec<_> = (1..=14).map(|number| "m".repeat(number)).collect();
    let mut crowd: Vec<_> =
        names.iter().map(|name| Box::pin(host.from("crowd", name, insert("opened", "t")))).collect();
    assert!(crowd.iter_mut().all(|asking| host.block_on(async { futures::poll!(asking) }).is_pending()));
    for request in [
        json!({"op": "tables"}),
        json!({"op": "describe", "table": "opened"}),
        json!({"op": "query", "table": "opened"}),
    ] {
        let answer = host.block_on(host.from("elsewhere", "ana", request));
        assert_eq!(answer["ok"], true, "{answer}");
    }
    // All the while, the other program had the disk for itself.
    other_program.execute_batch("ROLLBACK").unwrap();
    let answers = host.block_on(futures::future::join_all(crowd));
    assert!(answers.iter().all(|answer| answer["ok"] == true), "{answers:?}");
}

/// Another program dropped a table and left its entry, or entered a table that is nobody's to see.
#[test]
fn an_entry_without_a_table_is_no_table_and_its_owner_can_remove_it() {
    let host = Host::with_rows();
    let other_program = rusqlite::Connection::open(host.folder().join("data.db")).unwrap();
    other_program
        .execute_batch(
            "DROP TABLE shared;
             INSERT INTO _tables (name, insert_policy) VALUES ('_tables', 'public'), ('sqlite_schema', 'public');",
        )
        .unwrap();
    for request in [
        json!({"op": "query", "table": "shared"}),
        json!({"op": "describe", "table": "shared"}),
        json!({"op": "delete", "table": "shared", "id": 1}),
        insert("shared", "t"),
    ] {
        assert_eq!(host.error("ana", request.clone()), "no such table: shared", "{request}");
    }
    let tables = host.data("ana", json!({"op": "tables"}));
    let names: Vec<_> = tables.as_array().unwrap().iter().map(|table| table["name"].clone()).collect();
    assert_eq!(names, ["closed", "mailed", "opened", "secrets"]);
    assert_eq!(host.data("host", json!({"op": "delete-table", "table": "shared"}))["status"], "deleted");
    assert_eq!(host.error("host", json!({"op": "delete-table", "table": "shared"})), "no such table: shared");
}

#[test]
fn a_column_is_given_once() {
    let host = Host::new();
    let twice = json!({"op": "insert", "table": "opened", "data": {"title": "a", "Title": "b"}});
    assert!(host.error("ana", twice).contains("is there twice"));
}

#[test]
fn nobody_reads_the_e_mail_of_another_visitor() {
    let host = Host::with_rows();
    let emails = |peer: &str, more: Value| {
        let mut request = json!({"op": "query", "table": "shared"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let rows = host.data(peer, request);
        let row =
            |row: &Value| (row["_owner"].as_str().unwrap_or("?").to_owned(), row["_owner_email"].clone());
        rows.as_array().unwrap().iter().map(row).filter(|(_, email)| !email.is_null()).collect::<Vec<_>>()
    };
    let anas = vec![("ana".to_owned(), json!("ana@example.org")); 2];
    assert_eq!(emails("host", json!({})), anas);
    assert_eq!(emails("ana", json!({})), anas);
    assert_eq!(emails("bob", json!({})), []);
    assert_eq!(emails("bob", json!({"columns": ["_OWNER_EMAIL", "_owner"]})), []);
    // All the rows are there, with all their columns in the usual order.
    let rows = host.data("bob", json!({"op": "query", "table": "shared"}));
    assert_eq!(rows.as_array().unwrap().len(), 6);
    assert_eq!(rows[2]["_owner_email"], Value::Null);
    assert_eq!(rows[2].as_object().unwrap().len(), 7);
    // Nor by asking which rows have it.
    for guess in ["_owner_email LIKE 'ana@%'", "_owner_email IS NOT NULL", "length(_owner_email) > 0"] {
        let request = json!({"op": "query", "table": "shared", "where": guess});
        assert_eq!(host.data("bob", request.clone()), json!([]), "{guess}");
        assert_eq!(host.data("ana", request).as_array().unwrap().len(), 2, "{guess}");
    }
}
