//! The peer's database: what the owner's side can do, and what read-only queries cannot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use goop2::peer_id::PeerId;
use goop2::store::{
    ColumnDefinition, ColumnName, Database, DefaultValue, Policy, QueryError, QueryLimits, ReadOnly,
    RowScope, Rows, SqlValue, Stamp, StoreError, TableName, tables_in_schema,
};
use tempfile::TempDir;

/// A fresh peer folder with an open database.
struct Fixture {
    folder: TempDir,
    database: Database,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path()).unwrap();
        Self { folder, database }
    }

    fn with_schema(schema: &str) -> Self {
        let fixture = Self::new();
        fixture.database.apply_schema(&host(), schema, &BTreeMap::new()).unwrap();
        fixture
    }

    fn ask(&self, sql: &str) -> Result<Rows, QueryError> {
        self.ask_with(sql, &[])
    }

    fn ask_with(&self, sql: &str, parameters: &[SqlValue]) -> Result<Rows, QueryError> {
        self.database.reader().query(sql, parameters, &soon())
    }

    fn column(&self, sql: &str) -> Vec<SqlValue> {
        self.ask(sql).unwrap().rows.into_iter().map(|mut row| row.remove(0)).collect()
    }
}

/// Limits that only a hanging test meets.
fn soon() -> QueryLimits {
    QueryLimits::until(Instant::now() + Duration::from_secs(30))
}

fn host() -> PeerId {
    PeerId::parse("host").unwrap()
}

fn table(name: &str) -> TableName {
    TableName::parse(name).unwrap()
}

fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}

fn row(column: &str, value: SqlValue) -> Vec<(ColumnName, SqlValue)> {
    vec![(ColumnName::parse(column).unwrap(), value)]
}

fn stamp(peer: &str) -> Stamp {
    Stamp { owner: PeerId::parse(peer).unwrap(), email: Some(format!("{peer}@example.org")) }
}

fn column(name: &str) -> ColumnDefinition {
    ColumnDefinition {
        name: ColumnName::parse(name).unwrap(),
        column_type: "text".to_owned(),
        not_null: false,
        default: None,
    }
}

#[test]
fn rows_carry_their_owner_and_only_they_change_them() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT)");
    let notes = table("notes");
    let id = fixture.database.insert(&notes, &row("body", text("hi")), &stamp("ana")).unwrap();
    let stored = fixture.ask("SELECT _id, _owner, _owner_email, body, _created_at FROM notes").unwrap();
    assert_eq!(
        stored.rows[0][..4],
        [SqlValue::Integer(id), text("ana"), text("ana@example.org"), text("hi")]
    );
    assert!(matches!(stored.rows[0][4], SqlValue::Text(_)));

    let bob = RowScope::OwnedBy(PeerId::parse("bob").unwrap());
    let refused = fixture.database.update(&notes, id, &row("body", text("mine")), &bob);
    assert!(matches!(refused, Err(StoreError::NoRow { .. })));
    assert!(matches!(fixture.database.delete(&notes, id, &bob), Err(StoreError::NoRow { .. })));
    fixture.database.update(&notes, id, &row("body", text("new")), &RowScope::Any).unwrap();
    assert_eq!(fixture.column("SELECT body FROM notes"), [text("new")]);
    fixture.database.delete(&notes, id, &RowScope::OwnedBy(PeerId::parse("ana").unwrap())).unwrap();
    assert!(fixture.column("SELECT body FROM notes").is_empty());
}

#[test]
fn the_hosts_columns_cannot_be_written() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT)");
    for column in ["_owner", "_id", "_created_at"] {
        let refused = fixture.database.insert(&table("notes"), &row(column, text("x")), &stamp("ana"));
        assert!(matches!(refused, Err(StoreError::SystemColumn { .. })), "{column}");
    }
}

#[test]
fn owners_make_change_and_delete_tables() {
    let fixture = Fixture::new();
    let database = &fixture.database;
    let mut title = column("title");
    title.not_null = true;
    title.default = Some(DefaultValue::Literal(text("it's")));
    database.create_table(&table("notes"), &[title], Policy::Open).unwrap();
    assert!(matches!(
        database.create_table(&table("NOTES"), &[], Policy::Open),
        Err(StoreError::TableExists { .. })
    ));
    database.add_column(&table("notes"), &column("body")).unwrap();
    database.insert(&table("notes"), &row("body", text("b")), &stamp("ana")).unwrap();
    assert_eq!(fixture.column("SELECT title FROM notes"), [text("it's")]);
    let names = |name: &str| -> Vec<String> {
        database.describe(&table(name)).unwrap().into_iter().map(|column| column.name).collect()
    };
    assert_eq!(
        names("notes"),
        ["_id", "_owner", "_owner_email", "_created_at", "_updated_at", "title", "body"]
    );
    database.drop_column(&table("notes"), &ColumnName::parse("body").unwrap()).unwrap();
    assert!(database.drop_column(&table("notes"), &ColumnName::parse("_owner").unwrap()).is_err());
    database.rename_table(&table("notes"), &table("pages")).unwrap();
    assert_eq!(database.policy(&table("pages")).unwrap(), Policy::Open);
    assert!(matches!(database.describe(&table("notes")), Err(StoreError::NoTable { .. })));
    let listed = database.tables().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].name.as_str(), listed[0].insert_policy.as_str()), ("pages", "open"));
    database.delete_table(&table("pages")).unwrap();
    assert!(database.tables().unwrap().is_empty());
    assert!(fixture.ask("SELECT * FROM pages").is_err());
}

#[test]
fn column_types_are_chosen_from_a_list() {
    let fixture = Fixture::new();
    let mut evil = column("body");
    evil.column_type = "TEXT, x TEXT CHECK (load_extension('a'))".to_owned();
    let refused = fixture.database.create_table(&table("notes"), &[evil], Policy::Open);
    assert!(matches!(refused, Err(StoreError::Definition { .. })), "{refused:?}");
}

#[test]
fn a_database_opens_again_with_what_it_held() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT); INSERT INTO notes VALUES ('kept')");
    let Fixture { folder, database } = fixture;
    drop(database);
    let again = Database::open(folder.path()).unwrap();
    let kept = again.reader().query("SELECT body FROM notes", &[], &soon()).unwrap();
    assert_eq!(kept.rows, [[text("kept")]]);
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.db"), vec![b'x'; 5000]).unwrap();
    let error = Database::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("data.db") && error.contains("not a database"), "{error}");
    let read = ReadOnly::open(folder.path()).query("SELECT 1 FROM a", &[], &soon());
    assert!(matches!(read, Err(QueryError::Sqlite { .. })), "{read:?}");
}

#[test]
fn schema_files_with_and_without_the_hosts_columns() {
    let schema = "
        -- A quiz, as deployed templates write them; it's \"fine\".
        CREATE TABLE IF NOT EXISTS questions (
            _id INTEGER PRIMARY KEY AUTOINCREMENT,
            _owner TEXT NOT NULL,
            _owner_email TEXT,
            _created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
            _updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,
            question TEXT NOT NULL DEFAULT 'a;b\\',
            points INTEGER DEFAULT (1 + 1)
        );
        CREATE TABLE answers (question_id INTEGER REFERENCES questions(_id), answer TEXT, PRIMARY KEY (question_id, answer));
        CREATE TABLE plain (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
        CREATE TABLE keyed (slug TEXT PRIMARY KEY DESC, name TEXT);
        CREATE UNIQUE INDEX IF NOT EXISTS by_name ON plain (name);
        INSERT INTO questions (question, _owner) VALUES ('2+2? (easy)', 'somebody'), ('é; ''quoted''', 'x');
        INSERT INTO answers (question_id, answer) VALUES (1, '4'), (2, (SELECT 'sub' || ')'));
        INSERT INTO plain VALUES (7, 'seven'), (8, 'eight');
        INSERT OR IGNORE INTO keyed VALUES ('a', 'A'), ('a', 'again');
    ";
    let fixture = Fixture::new();
    let policies = BTreeMap::from([("Answers".to_owned(), Policy::Open)]);
    let applied = fixture.database.apply_schema(&host(), schema, &policies).unwrap();
    assert_eq!(tables_in_schema(schema).unwrap(), applied.created);
    let names: Vec<&str> = applied.created.iter().map(TableName::as_str).collect();
    assert_eq!(names, ["questions", "answers", "plain", "keyed"]);
    for name in names {
        assert!(
            fixture.column(&format!("SELECT _owner FROM {name}")).iter().all(|owner| *owner == text("host")),
            "{name}"
        );
        let columns = fixture.database.describe(&table(name)).unwrap();
        for system in ["_id", "_owner", "_owner_email", "_created_at", "_updated_at"] {
            assert!(columns.iter().any(|column| column.name == system), "{name} {system}");
        }
    }
    assert_eq!(fixture.column("SELECT question FROM questions"), [text("2+2? (easy)"), text("é; 'quoted'")]);
    assert_eq!(fixture.column("SELECT answer FROM answers"), [text("4"), text("sub)")]);
    assert_eq!(fixture.column("SELECT _id FROM plain"), [SqlValue::Integer(7), SqlValue::Integer(8)]);
    assert_eq!(fixture.column("SELECT name FROM keyed"), [text("A")]);
    assert_eq!(fixture.database.policy(&table("answers")).unwrap(), Policy::Open);
    assert_eq!(fixture.database.policy(&table("plain")).unwrap(), Policy::Owner);
    // A visitor's row gets its number in each of them.
    for (name, column) in [("answers", "answer"), ("plain", "name"), ("keyed", "name")] {
        let id = fixture.database.insert(&table(name), &row(column, text("new")), &stamp("bob")).unwrap();
        fixture
            .database
            .update(&table(name), id, &row(column, text("newer")), &RowScope::OwnedBy(stamp("bob").owner))
            .unwrap();
    }
}

#[test]
fn a_schema_applied_again_keeps_the_owners_tables() {
    let schema = "CREATE TABLE a (x TEXT); CREATE INDEX by_x ON a (x); INSERT INTO a VALUES ('seed'); CREATE TABLE b (y)";
    let fixture = Fixture::with_schema("CREATE TABLE a (x TEXT); INSERT INTO a VALUES ('mine')");
    let applied = fixture.database.apply_schema(&host(), schema, &BTreeMap::new()).unwrap();
    assert_eq!((applied.kept, applied.created), (vec![table("a")], vec![table("b")]));
    assert_eq!(fixture.column("SELECT x FROM a"), [text("mine")]);
}

#[test]
fn schema_files_hold_nothing_else_and_apply_whole_or_not_at_all() {
    let cases = [
        ("CREATE TABLE a (x);\n\nDROP TABLE a;", "schema.sql:3: only CREATE TABLE"),
        ("CREATE TABLE a (x);\nPRAGMA journal_mode = off;", "schema.sql:2: only"),
        ("ATTACH 'other.db' AS other", "schema.sql:1: only"),
        ("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END", "schema.sql:1: only"),
        ("CREATE VIEW v AS SELECT 1", "schema.sql:1: only"),
        ("CREATE TEMP TABLE a (x)", "schema.sql:1: only"),
        ("CREATE VIRTUAL TABLE a USING fts5(x)", "schema.sql:1: only"),
        ("CREATE TABLE a (x);\nINSERT INTO a SELECT sql FROM sqlite_schema", "schema.sql:2: an INSERT"),
        ("CREATE TABLE a (x);\nINSERT INTO _tables VALUES (1,2,3,4)", "schema.sql:2: table names starting"),
        ("\nINSERT INTO existing VALUES ('x')", "schema.sql:2: table existing is not created"),
        ("CREATE TABLE _tables (x)", "schema.sql:1: table names starting"),
        ("CREATE TABLE main.a (x)", "schema.sql:1: a table name has one part"),
        ("CREATE TABLE a AS SELECT 1", "schema.sql:1: table a: AS SELECT"),
        ("CREATE TABLE a (_id TEXT, x)", "schema.sql:1: table a: _id has to be"),
        ("CREATE TABLE ok (x);\nCREATE TABLE a (x, x)", "schema.sql:2: duplicate column name: x"),
        (
            "CREATE TABLE a (x);\nINSERT INTO a (x) VALUES (load_extension('e'))",
            "schema.sql:2: not authorized",
        ),
        ("CREATE TABLE a (x TEXT DEFAULT 'open", "schema.sql:1: "),
        ("CREATE TABLE a (x);\n\0", "schema.sql:2: a NUL"),
    ];
    let fixture = Fixture::with_schema("CREATE TABLE existing (x TEXT)");
    for (schema, expected) in cases {
        let error = fixture.database.apply_schema(&host(), schema, &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{schema}: {error}");
        assert_eq!(fixture.database.tables().unwrap().len(), 1, "{schema}");
        assert_eq!(
            fixture.column("SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('a', 'ok')"),
            [SqlValue::Integer(0)]
        );
    }
}

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
    assert_eq!(message("SELECT ?"), "the query has 1 placeholders, found 0 values");
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

const FOREVER: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

#[test]
fn a_runaway_query_stops_at_its_deadline_and_the_connection_serves_the_next() {
    let fixture = Fixture::new();
    let limits = QueryLimits::until(Instant::now() + Duration::from_millis(20));
    assert_eq!(fixture.database.reader().query(FOREVER, &[], &limits), Err(QueryError::Deadline));
    assert!(fixture.ask("SELECT 1").is_ok());
    let cancelled = QueryLimits { cancel: Arc::new(AtomicBool::new(true)), ..soon() };
    assert_eq!(fixture.database.reader().query(FOREVER, &[], &cancelled), Err(QueryError::Cancelled));
    assert!(fixture.ask("SELECT 1").is_ok());
}

#[test]
fn slow_functions_stop_at_the_deadline_too() {
    // Each would run for minutes inside one SQLite instruction, or many in a row.
    let long = "WITH d(x) AS (SELECT replace(hex(zeroblob(400000)), '0', 'a'))";
    let like = format!("{long} SELECT {} FROM d", ["x LIKE ?1"; 15].join(", "));
    let instr = format!("{long} SELECT {} FROM d", ["instr(x, substr(x, 400000) || 'b')"; 12].join(", "));
    let fixture = Fixture::new();
    for (sql, parameters) in [(like, vec![text(&format!("%{}b", "a".repeat(200)))]), (instr, vec![])] {
        let start = Instant::now();
        let limits = QueryLimits::until(start + Duration::from_millis(5));
        let stopped = fixture.database.reader().query(&sql, &parameters, &limits);
        assert_eq!(stopped, Err(QueryError::Deadline), "{sql:.60}");
        assert!(start.elapsed() < Duration::from_secs(10), "{sql:.60} took {:?}", start.elapsed());
    }
}

/// SQLite does not look at the clock between the functions of one row, so their number is bounded,
/// and those that take quadratic time are refused.
#[test]
fn the_functions_of_one_row_end_soon_after_the_deadline() {
    let fixture = Fixture::new();
    let refused = fixture.ask("SELECT unhex(replace(hex(zeroblob(400000)), '0', '-'), '.-')").unwrap_err();
    assert_eq!(refused.to_string(), "unhex takes one argument here");
    assert_eq!(fixture.column("SELECT unhex('00ff')"), [SqlValue::Blob(vec![0, 255])]);
    for unknown in ["changes()", "fts5_source_id()", "json_patch('{}', '{}')", "load_extension('x')"] {
        let refused = fixture.ask(&format!("SELECT {unknown}"));
        assert!(matches!(refused, Err(QueryError::ReadOnly { .. })), "{unknown}: {refused:?}");
    }
    let many = |count: usize| format!("SELECT {}", vec!["abs(1)"; count].join(", "));
    assert!(fixture.ask(&many(64)).is_ok());
    assert_eq!(fixture.ask(&many(65)), Err(QueryError::TooManyFunctions { limit: 64 }));
    assert!(fixture.ask("SELECT 1").is_ok(), "the count is each query's own");

    // The worst that the bounds allow: each path goes through all of a long text.
    let extract = |n: usize| {
        let paths: Vec<_> = (0..23).map(|path| format!("'$[{}]'", 440_000 + 23 * n + path)).collect();
        format!("json_extract(j, {})", paths.join(", "))
    };
    let long = "WITH d(j) AS (SELECT '[' || replace(hex(zeroblob(450000)), '00', '0,') || '0]')";
    let sql = |uses: usize| {
        format!("{long} SELECT {} FROM d", (0..uses).map(extract).collect::<Vec<_>>().join(", "))
    };
    assert_eq!(fixture.ask(&sql(17)), Err(QueryError::TooManyFunctions { limit: 64 }));
    let start = Instant::now();
    let limits = QueryLimits::until(start + Duration::from_millis(50));
    let _ = fixture.database.reader().query(&sql(15), &[], &limits);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
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

#[test]
fn results_are_bounded_in_rows_and_bytes() {
    let fixture = Fixture::new();
    let count =
        |n: u32| format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})");
    let thousand = fixture.ask(&format!("{} SELECT i FROM n", count(1000))).unwrap();
    assert_eq!((thousand.rows.len(), thousand.truncated), (1000, false));
    let more = fixture.ask(&format!("{} SELECT i FROM n", count(1001))).unwrap();
    assert_eq!((more.rows.len(), more.truncated), (1000, true));
    assert_eq!(more.rows[999], [SqlValue::Integer(1000)]);

    let under = fixture.ask("SELECT hex(zeroblob(500000)) AS h").unwrap();
    assert_eq!(under.rows[0][0].len_bytes(), 1_000_000);
    let over = [
        "SELECT hex(zeroblob(530000)) AS h".to_owned(),
        "SELECT zeroblob(800000)".to_owned(),
        // A control character is six bytes of JSON.
        "SELECT replace(hex(zeroblob(100000)), '0', char(1))".to_owned(),
        format!("{} SELECT hex(zeroblob(600)) FROM n", count(1000)),
    ];
    for sql in over {
        assert_eq!(fixture.ask(&sql), Err(QueryError::TooManyBytes { limit: 1024 * 1024 }), "{sql}");
    }
    assert_eq!(fixture.ask("SELECT zeroblob(100000000)").unwrap_err().to_string(), "string or blob too big");
}

#[test]
fn a_runaway_query_holds_up_no_other() {
    let fixture = Fixture::new();
    let cancel = Arc::new(AtomicBool::new(false));
    let limits = QueryLimits { cancel: Arc::clone(&cancel), ..soon() };
    std::thread::scope(|scope| {
        let reader = fixture.database.reader();
        let runaway = scope.spawn(move || reader.query(FOREVER, &[], &limits));
        assert!(fixture.ask("SELECT 1").is_ok());
        fixture.database.create_table(&table("notes"), &[], Policy::Open).unwrap();
        cancel.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(runaway.join().unwrap(), Err(QueryError::Cancelled));
    });
}

#[test]
fn a_full_database_says_so() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT)");
    let notes = table("notes");
    let large = row("body", text(&"x".repeat(900 * 1024)));
    let mut stored = 0;
    let error = loop {
        match fixture.database.insert(&notes, &large, &stamp("ana")) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 400, "no limit was met");
    };
    assert_eq!(
        error.to_string(),
        "the peer's database is full (limit 256 MiB): delete rows before adding more"
    );
    assert!(stored > 200, "{stored}");
}

#[test]
fn a_conflict_never_replaces_a_row_of_somebody_else() {
    let fixture = Fixture::with_schema("CREATE TABLE nicks (nick TEXT UNIQUE ON CONFLICT REPLACE)");
    let nicks = table("nicks");
    fixture.database.insert(&nicks, &row("nick", text("ana")), &stamp("ana")).unwrap();
    let id = fixture.database.insert(&nicks, &row("nick", text("bob")), &stamp("bob")).unwrap();
    let taken = row("nick", text("ana"));
    let bob = RowScope::OwnedBy(PeerId::parse("bob").unwrap());
    for refused in [
        fixture.database.insert(&nicks, &taken, &stamp("bob")).map(drop),
        fixture.database.update(&nicks, id, &taken, &bob),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), "UNIQUE constraint failed: nicks.nick");
    }
    assert_eq!(fixture.column("SELECT _owner FROM nicks ORDER BY _id"), [text("ana"), text("bob")]);
}

#[test]
fn a_schema_of_one_long_line_or_one_long_expression_ends() {
    let chain = |part: &str| vec![part; 100_000].join("+");
    for value in [chain("1"), chain("(1)"), chain("max(1, 1)"), format!("({})", chain("1"))] {
        let schema = format!("CREATE TABLE t (a TEXT);\nINSERT INTO t VALUES ({value})");
        let error = Fixture::new().database.apply_schema(&host(), &schema, &BTreeMap::new()).unwrap_err();
        assert_eq!(error.to_string(), "schema.sql:2: an expression has at most 2000 parts");
    }
    let rows = vec!["('é', 1)"; 60_000].join(",");
    let fixture = Fixture::with_schema(&format!("CREATE TABLE t (a TEXT, b); INSERT INTO t VALUES {rows};"));
    assert_eq!(
        fixture.column("SELECT count(*) FROM t WHERE _owner = 'host' AND a = 'é'"),
        [SqlValue::Integer(60_000)]
    );
}

#[test]
fn a_schema_that_the_parser_would_read_for_years_is_refused() {
    let value = format!("{}1{}", "POSITION(".repeat(23), ")".repeat(23));
    let schema = format!("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ({value});");
    let error = tables_in_schema(&schema).unwrap_err();
    assert_eq!(error.to_string(), "schema.sql:1: brackets nest at most 12 deep");
}

#[test]
fn the_expressions_of_a_template_cannot_hold_up_the_writer() {
    // SQLite's own `instr` would take minutes for each.
    let slow = "instr(hex(zeroblob(2000000)), hex(zeroblob(1000000)) || '1')";
    let fixture = Fixture::with_schema(&format!("CREATE TABLE t (a TEXT CHECK ({slow} = 0 AND a <> ''))"));
    let begun = Instant::now();
    fixture.database.insert(&table("t"), &row("a", text("x")), &stamp("ana")).unwrap();
    let seeds = format!("CREATE TABLE s (a); INSERT INTO s VALUES ({slow});");
    fixture.database.apply_schema(&host(), &seeds, &BTreeMap::new()).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    // Each of these is slow, and looks at the clock.
    let like = "hex(zeroblob(500000)) || a NOT LIKE '%0000000000000000000000000000000000000000000001'";
    let many = vec![like; 120].join(" AND ");
    let fixture = Fixture::with_schema(&format!("CREATE TABLE t (a TEXT CHECK ({many}))"));
    let begun = Instant::now();
    let error = fixture.database.insert(&table("t"), &row("a", text("x")), &stamp("ana")).unwrap_err();
    assert!(matches!(error, StoreError::TimedOut), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[test]
fn readers_who_never_pause_cannot_make_the_log_grow_for_ever() {
    let fixture = Fixture::with_schema("CREATE TABLE t (a TEXT)");
    let (t, values) = (table("t"), ["x", "y"].map(|letter| text(&letter.repeat(1024 * 1024))));
    let id = fixture.database.insert(&t, &row("a", values[0].clone()), &stamp("ana")).unwrap();
    let log = fixture.folder.path().join("data.db-wal");
    let (stop, reader) = (AtomicBool::new(false), fixture.database.reader());
    let endless = "WITH RECURSIVE n(i) AS (SELECT _id FROM t UNION ALL SELECT i FROM n) SELECT max(i) FROM n";
    let read = |offset: Duration| {
        while !stop.load(Ordering::Relaxed) {
            let limits = QueryLimits::until(Instant::now() + Duration::from_millis(300) + offset);
            assert_eq!(reader.query(endless, &[], &limits), Err(QueryError::Deadline));
        }
    };
    let longest = std::thread::scope(|scope| {
        scope.spawn(|| read(Duration::ZERO));
        scope.spawn(|| read(Duration::from_millis(170)));
        let sizes = (0..160).map(|round| {
            let row = row("a", values[round % 2].clone());
            fixture.database.update(&t, id, &row, &RowScope::Any).unwrap();
            std::fs::metadata(&log).unwrap().len()
        });
        let longest = sizes.max();
        stop.store(true, Ordering::Relaxed);
        longest
    });
    assert!(longest < Some(70 * 1024 * 1024), "{longest:?}");
}
