//! Tables and rows: whose they are, and who changes them.

use goop2::store::{
    ColumnName, Database, DefaultValue, Policy, QueryError, ReadOnly, RowScope, SqlValue, StoreError,
};

use super::support::{Fixture, column, only, row, soon, stamp, table, text};

#[test]
fn rows_carry_their_owner_and_only_they_change_them() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT)");
    let notes = table("notes");
    let id = fixture.database.insert(&notes, &row("body", text("hi")), &stamp("ana"), None).unwrap();
    let stored = fixture.ask("SELECT _id, _owner, _owner_email, body, _created_at FROM notes").unwrap();
    assert_eq!(
        stored.rows[0][..4],
        [SqlValue::Integer(id), text("ana"), text("ana@example.org"), text("hi")]
    );
    assert!(matches!(stored.rows[0][4], SqlValue::Text(_)));

    let bob = only("bob");
    let refused = fixture.database.update(&notes, id, &row("body", text("mine")), &bob);
    assert!(matches!(refused, Err(StoreError::NoRow { .. })));
    assert!(matches!(fixture.database.delete(&notes, id, &bob), Err(StoreError::NoRow { .. })));
    fixture.database.update(&notes, id, &row("body", text("new")), &RowScope::Any).unwrap();
    assert_eq!(fixture.column("SELECT body FROM notes"), [text("new")]);
    fixture.database.delete(&notes, id, &only("ana")).unwrap();
    assert!(fixture.column("SELECT body FROM notes").is_empty());
}

#[test]
fn the_hosts_columns_cannot_be_written() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT)");
    for column in ["_owner", "_id", "_created_at"] {
        let refused = fixture.database.insert(&table("notes"), &row(column, text("x")), &stamp("ana"), None);
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
    database.insert(&table("notes"), &row("body", text("b")), &stamp("ana"), None).unwrap();
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
fn a_conflict_never_replaces_a_row_of_somebody_else() {
    let fixture = Fixture::with_schema("CREATE TABLE nicks (nick TEXT UNIQUE ON CONFLICT REPLACE)");
    let nicks = table("nicks");
    fixture.database.insert(&nicks, &row("nick", text("ana")), &stamp("ana"), None).unwrap();
    let id = fixture.database.insert(&nicks, &row("nick", text("bob")), &stamp("bob"), None).unwrap();
    let taken = row("nick", text("ana"));
    let bob = only("bob");
    for refused in [
        fixture.database.insert(&nicks, &taken, &stamp("bob"), None).map(drop),
        fixture.database.update(&nicks, id, &taken, &bob),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), "UNIQUE constraint failed: nicks.nick");
    }
    assert_eq!(fixture.column("SELECT _owner FROM nicks ORDER BY _id"), [text("ana"), text("bob")]);
}

/// Visitors' e-mail addresses and answers are in it, and in the log that SQLite keeps beside it.
#[cfg(unix)]
#[test]
fn a_new_database_is_for_its_owner_alone() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT)");
    let files: Vec<_> = std::fs::read_dir(fixture.folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() > 1, "{files:?}");
    for file in files {
        let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().unwrap());
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
    }
}
