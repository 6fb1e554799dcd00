//! A template's `schema.sql`: what may stand in it, and what it makes.

use std::collections::BTreeMap;

use goop2::store::{Policy, SqlValue, TableName, tables_in_schema};

use super::support::{Fixture, host, only, row, stamp, table, text};

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
        let id =
            fixture.database.insert(&table(name), &row(column, text("new")), &stamp("bob"), None).unwrap();
        fixture.database.update(&table(name), id, &row(column, text("newer")), &only("bob")).unwrap();
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
