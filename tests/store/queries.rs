//! Read-only queries: what they answer, and what they cannot do.

use goop2::store::{QueryError, ReadOnly, SqlValue};

use super::support::{Fixture, soon, text};

#[test]
fn queries_read_everything_of_the_peers_own_database() {
    let fixture = Fixture::with_schema(
        "CREATE TABLE quiz_answers (quiz_id TEXT, answer TEXT);
         INSERT INTO quiz_answers VALUES ('m', 'B'), ('m', 'A'), ('other', 'C')",
    );
    let sql = "SELECT answer FROM quiz_answers WHERE quiz_id = ? ORDER BY answer; -- hidden from visitors";
    let found = fixture.ask_with(sql, &[text("m")]).unwrap();
    assert_eq!(found.columns, ["answer"]);
    assert_eq!(found.rows, [[text("A")], [text("B")]]);
    assert!(fixture.ask("SELECT name FROM _tables UNION SELECT name FROM sqlite_schema").is_ok());
    assert!(fixture.ask("WITH a(x) AS (VALUES (1)) SELECT x, sum(x) OVER () FROM a").is_ok());
    assert!(fixture.ask("SELECT value FROM json_each('[1,2]')").is_ok());
    assert!(fixture.ask("EXPLAIN QUERY PLAN SELECT * FROM quiz_answers").is_ok());
}

#[test]
fn queries_change_nothing() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT); INSERT INTO notes VALUES ('kept')");
    for sql in [
        "INSERT INTO notes (body, _owner) VALUES ('x', 'y')",
        "INSERT INTO notes (body, _owner) VALUES ('x', 'y') RETURNING _id",
        "UPDATE notes SET body = 'x'",
        "WITH a AS (SELECT 1) DELETE FROM notes RETURNING *",
        "REPLACE INTO notes (_id, _owner) VALUES (1, 'x')",
        "CREATE TABLE other (x)",
        "CREATE TEMP TABLE other (x)",
        "CREATE VIEW other AS SELECT 1",
        "DROP TABLE notes",
        "ALTER TABLE notes ADD COLUMN x",
        "ATTACH 'other.db' AS other",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "PRAGMA query_only = 0",
        "PRAGMA journal_mode = delete",
        "PRAGMA user_version",
        "SELECT * FROM pragma_table_list",
        "EXPLAIN SELECT * FROM notes",
        "SELECT * FROM dbstat",
        "SELECT count(*) FROM DBSTAT('main')",
        "VACUUM",
        "VACUUM INTO 'copy.db'",
        "REINDEX",
        "ANALYZE",
        "BEGIN",
        "SAVEPOINT a",
        "SELECT load_extension('x')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT json_patch('{}', '{}')",
    ] {
        let refused = fixture.ask(sql);
        assert!(matches!(refused, Err(QueryError::ReadOnly { .. })), "{sql}: {refused:?}");
    }
    assert_eq!(fixture.column("SELECT body FROM notes"), [text("kept")]);
    let files: Vec<_> = std::fs::read_dir(fixture.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("data.db"))
        .collect();
    assert!(files.is_empty(), "{files:?}");
}

#[test]
fn a_query_is_one_statement() {
    let fixture = Fixture::new();
    for sql in ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE _tables", "SELECT 1; nonsense"] {
        assert_eq!(fixture.ask(sql), Err(QueryError::ManyStatements), "{sql}");
    }
    // As many as fit: looking at them must not use the stack for each.
    assert_eq!(fixture.ask(&"SELECT 1;".repeat(3500)), Err(QueryError::ManyStatements));
    assert!(fixture.ask(&format!("SELECT 1 {}", ";".repeat(30_000))).is_ok());
    assert!(fixture.ask("SELECT 1 ; /* done */ -- really\n ;").is_ok());
    for sql in ["", " ; ", "-- nothing"] {
        assert_eq!(fixture.ask(sql), Err(QueryError::Empty), "{sql}");
    }
    assert_eq!(fixture.ask("SELECT 1\0; DROP TABLE _tables"), Err(QueryError::Nul));
    let long = format!("SELECT {}", "1+".repeat(40_000));
    assert!(matches!(fixture.ask(&long), Err(QueryError::SqlTooLong { .. })));
}

#[test]
fn mistakes_are_told_in_sqlites_words() {
    let fixture = Fixture::new();
    let message = |sql: &str| fixture.ask(sql).unwrap_err().to_string();
    assert_eq!(message("SELECT * FROM quiz_answers"), "no such table: quiz_answers");
    assert_eq!(message("SELECT x FROM _tables"), "no such column: x");
    assert_eq!(message("SELEC 1"), "near \"SELEC\": syntax error");
    assert_eq!(message("SELECT ?"), "the query has 1 placeholder, found 0 values");
    let empty = tempfile::tempdir().unwrap();
    let none = ReadOnly::open(empty.path()).query("SELECT 1", &[], &soon());
    assert_eq!(none, Err(QueryError::NoDatabase));
    assert!(!empty.path().join("data.db").exists());
}

#[test]
fn values_of_every_kind_pass_both_ways() {
    let fixture = Fixture::new();
    let values = [
        SqlValue::Null,
        SqlValue::Integer(i64::MIN),
        SqlValue::Real(0.5),
        text("é\u{1f600}"),
        SqlValue::Blob(vec![0, 255]),
    ];
    assert_eq!(fixture.ask_with("SELECT ?, ?, ?, ?, ?", &values).unwrap().rows, [values]);
    // Text that is not UTF-8 is read all the same.
    assert_eq!(fixture.column("SELECT CAST(x'61ff' AS TEXT)"), [text("a\u{fffd}")]);
}

#[test]
fn replaced_functions_answer_as_sqlite_does() {
    let plain = rusqlite::Connection::open_in_memory().unwrap();
    let fixture = Fixture::new();
    for sql in [
        "instr('héllo', 'l')",
        "instr('abc', '')",
        "instr(x'00ff', x'ff')",
        "instr(12345, 34)",
        "instr(NULL, 'a')",
        "instr('abc', 'd')",
        "replace('aaa', 'a', 'bc')",
        "replace('abc', '', 'x')",
        "replace(1.5, '.', ',')",
        "replace('abc', 'b', NULL)",
        "trim('xxabcx', 'x')",
        "ltrim('éaé', 'é')",
        "rtrim('abc12', '0123456789')",
        "trim('abc', '')",
        "'ABC' LIKE 'a%'",
        "'a%c' LIKE 'a\\%c' ESCAPE '\\'",
        "NULL LIKE 'a'",
        "10 LIKE '1_'",
        "2.0 LIKE '2.%'",
        "'abc' GLOB 'a[a-c]?'",
        "'abc' NOT LIKE '%d%'",
        "0.1 + 0.2 LIKE '0.3'",
        "replace(1e20, 'x', '')",
        "replace(1e-7, 'x', '')",
        "replace(-123456789012345678.0, 'x', '')",
        "replace(1234567890123456.0, 'x', '')",
        "replace(1e16, 'x', '')",
        "replace(0.0001, 'x', '')",
        "replace(0.00001234, 'x', '')",
        "replace(9e999, 'x', '')",
    ] {
        let expected: String =
            plain.query_row(&format!("SELECT quote({sql})"), [], |row| row.get(0)).unwrap();
        assert_eq!(fixture.column(&format!("SELECT quote({sql})")), [text(&expected)], "{sql}");
    }
}
