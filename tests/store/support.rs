//! A database in a folder of its own, and short ways to say what goes in and out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use goop2::peer_id::PeerId;
use goop2::store::{
    ColumnDefinition, ColumnName, Database, QueryError, QueryLimits, Quota, RowScope, Rows, SqlValue, Stamp,
    TableName,
};
use tempfile::TempDir;

/// A fresh peer folder with an open database.
pub(super) struct Fixture {
    pub(super) folder: TempDir,
    pub(super) database: Database,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path()).unwrap();
        Self { folder, database }
    }

    pub(super) fn with_schema(schema: &str) -> Self {
        let fixture = Self::new();
        fixture.database.apply_schema(&host(), schema, &BTreeMap::new()).unwrap();
        fixture
    }

    pub(super) fn ask(&self, sql: &str) -> Result<Rows, QueryError> {
        self.ask_with(sql, &[])
    }

    pub(super) fn ask_with(&self, sql: &str, parameters: &[SqlValue]) -> Result<Rows, QueryError> {
        self.database.reader().query(sql, parameters, &soon())
    }

    pub(super) fn column(&self, sql: &str) -> Vec<SqlValue> {
        self.ask(sql).unwrap().rows.into_iter().map(|mut row| row.remove(0)).collect()
    }
}

/// Limits that only a hanging test meets.
pub(super) fn soon() -> QueryLimits {
    QueryLimits::until(Instant::now() + Duration::from_secs(30))
}

pub(super) fn host() -> PeerId {
    PeerId::parse("host").unwrap()
}

pub(super) fn table(name: &str) -> TableName {
    TableName::parse(name).unwrap()
}

pub(super) fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}

pub(super) fn row(column: &str, value: SqlValue) -> Vec<(ColumnName, SqlValue)> {
    vec![(ColumnName::parse(column).unwrap(), value)]
}

pub(super) fn stamp(peer: &str) -> Stamp {
    Stamp { owner: PeerId::parse(peer).unwrap(), email: Some(format!("{peer}@example.org")) }
}

pub(super) fn column(name: &str) -> ColumnDefinition {
    ColumnDefinition {
        name: ColumnName::parse(name).unwrap(),
        column_type: "text".to_owned(),
        not_null: false,
        default: None,
    }
}

/// The rows of one visitor, who may keep as much as they like.
pub(super) fn only(peer: &str) -> RowScope {
    RowScope::OwnedBy(PeerId::parse(peer).unwrap(), Quota { max_rows: u64::MAX, max_bytes: u64::MAX })
}
