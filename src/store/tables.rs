//! Tables and rows: what the data protocol and the owner's tools do to the database.
//!
//! Whose row it is, is decided here and in no request: [`Stamp`] comes from the authenticated peer.

use rusqlite::{Connection, OptionalExtension, params_from_iter};
use serde::Serialize;

use super::definition::missing_system_columns;
use super::memory::with_room;
use super::quota::{Usage, index_owners, rename_owner_index};
use super::{ColumnDefinition, ColumnName, Database, Policy, Quota, SqlValue, StoreError, TableName};
use crate::peer_id::PeerId;

/// A user table as visitors see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableInfo {
    /// Its name.
    pub name: String,
    /// Its insert policy's name as stored; an unknown name counts as `owner`.
    pub insert_policy: String,
    /// When it was made, as `YYYY-MM-DD HH:MM:SS` in UTC, or empty.
    pub created_at: String,
}

/// A column as visitors see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnInfo {
    /// Its position, from 0.
    pub cid: i64,
    /// Its name.
    pub name: String,
    /// Its declared type, or empty.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Whether it refuses NULL.
    pub not_null: bool,
    /// Its default as SQL text.
    pub default: Option<String>,
    /// Whether it is the primary key.
    pub pk: bool,
}

/// Whom a new row belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The authenticated peer.
    pub owner: PeerId,
    /// The e-mail of its presence, if it has one.
    pub email: Option<String>,
}

/// Which rows a change may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowScope {
    /// Every row: the peer's owner.
    Any,
    /// Only rows that belong to this peer, which keeps no more than the quota afterwards, or no
    /// more than before.
    OwnedBy(PeerId, Quota),
}

impl Database {
    /// All user tables, sorted by name.
    ///
    /// # Errors
    /// When SQLite can't read them.
    pub fn tables(&self) -> Result<Vec<TableInfo>, StoreError> {
        let catalog = self.catalog();
        let mut statement = catalog.prepare(
            "SELECT name, COALESCE(insert_policy, ''), COALESCE(created_at, '') FROM _tables t
             WHERE EXISTS (SELECT 1 FROM sqlite_schema s
                           WHERE s.name = t.name COLLATE NOCASE AND s.type IN ('table', 'view'))
             ORDER BY name",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(TableInfo { name: row.get(0)?, insert_policy: row.get(1)?, created_at: row.get(2)? })
        })?;
        let mut tables: Vec<TableInfo> = rows.collect::<rusqlite::Result<_>>()?;
        // What can't be asked for is not offered: an entry may name SQLite's or the host's own tables.
        tables.retain(|table| TableName::parse(&table.name).is_ok());
        Ok(tables)
    }

    /// The columns of a user table, the system columns included.
    ///
    /// # Errors
    /// [`StoreError::NoTable`] when there is no such table.
    pub fn describe(&self, table: &TableName) -> Result<Vec<ColumnInfo>, StoreError> {
        let catalog = self.catalog();
        registered(&catalog, table)?;
        columns(&catalog, table)
    }

    /// A user table's insert policy.
    ///
    /// # Errors
    /// [`StoreError::NoTable`] when there is no such table.
    pub fn policy(&self, table: &TableName) -> Result<Policy, StoreError> {
        registered(&self.catalog(), table)
    }

    /// Adds a row that belongs to `stamp` and returns its `_id`. With a `quota`, only if that peer
    /// keeps no more than that afterwards.
    ///
    /// # Errors
    /// When the table or a column does not exist, a column is the host's, a constraint is violated,
    /// the quota is used up, or the database is full.
    pub fn insert(
        &self,
        table: &TableName,
        row: &[(ColumnName, SqlValue)],
        stamp: &Stamp,
        quota: Option<&Quota>,
    ) -> Result<i64, StoreError> {
        with_room(StoreError::is_out_of_memory, || self.insert_once(table, row, stamp, quota))
    }

    fn insert_once(
        &self,
        table: &TableName,
        row: &[(ColumnName, SqlValue)],
        stamp: &Stamp,
        quota: Option<&Quota>,
    ) -> Result<i64, StoreError> {
        let writer = self.timed_writer();
        registered(&writer.connection, table)?;
        check_columns(&writer.connection, table, row)?;
        let mut names = String::from("_owner, _owner_email");
        let mut marks = String::from("?, ?");
        for (column, _) in row {
            names.push_str(&format!(", \"{column}\""));
            marks.push_str(", ?");
        }
        let email = stamp.email.clone().map_or(SqlValue::Null, SqlValue::Text);
        let stamped = [SqlValue::Text(stamp.owner.as_str().to_owned()), email];
        let values = stamped.iter().chain(row.iter().map(|(_, value)| value));
        // OR ABORT, here and in an update, because a table may declare ON CONFLICT REPLACE, with which
        // one visitor's row would delete another's.
        let sql = format!("INSERT OR ABORT INTO \"{table}\" ({names}) VALUES ({marks})");
        let transaction = writer.connection.unchecked_transaction()?;
        transaction.execute(&sql, params_from_iter(values))?;
        let id = transaction.last_insert_rowid();
        if let Some(quota) = quota {
            quota.check(&transaction, &stamp.owner, Usage::default())?;
        }
        transaction.commit()?;
        Ok(id)
    }

    /// Changes columns of the row `id`, if it is in `scope`.
    ///
    /// # Errors
    /// As [`Database::insert`]; [`StoreError::NoRow`] when the row is absent or out of scope.
    pub fn update(
        &self,
        table: &TableName,
        id: i64,
        row: &[(ColumnName, SqlValue)],
        scope: &RowScope,
    ) -> Result<(), StoreError> {
        if row.is_empty() {
            return Err(StoreError::NoColumns { table: table.clone() });
        }
        let assignments: String = row.iter().map(|(column, _)| format!("\"{column}\" = ?, ")).collect();
        let sql = format!("UPDATE OR ABORT \"{table}\" SET {assignments}_updated_at = CURRENT_TIMESTAMP");
        self.change_row(table, id, &sql, row, scope)
    }

    /// Deletes the row `id`, if it is in `scope`.
    ///
    /// # Errors
    /// [`StoreError::NoTable`], or [`StoreError::NoRow`] when the row is absent or out of scope.
    pub fn delete(&self, table: &TableName, id: i64, scope: &RowScope) -> Result<(), StoreError> {
        self.change_row(table, id, &format!("DELETE FROM \"{table}\""), &[], scope)
    }

    fn change_row(
        &self,
        table: &TableName,
        id: i64,
        sql: &str,
        row: &[(ColumnName, SqlValue)],
        scope: &RowScope,
    ) -> Result<(), StoreError> {
        with_room(StoreError::is_out_of_memory, || self.change_row_once(table, id, sql, row, scope))
    }

    fn change_row_once(
        &self,
        table: &TableName,
        id: i64,
        sql: &str,
        row: &[(ColumnName, SqlValue)],
        scope: &RowScope,
    ) -> Result<(), StoreError> {
        let writer = self.timed_writer();
        registered(&writer.connection, table)?;
        check_columns(&writer.connection, table, row)?;
        let mut values: Vec<&SqlValue> = row.iter().map(|(_, value)| value).collect();
        let key = SqlValue::Integer(id);
        values.push(&key);
        let mut sql = format!("{sql} WHERE _id = ?");
        let owner = match scope {
            RowScope::Any => None,
            RowScope::OwnedBy(peer, _) => Some(SqlValue::Text(peer.as_str().to_owned())),
        };
        if let Some(owner) = &owner {
            sql.push_str(" AND _owner = ?");
            values.push(owner);
        }
        let transaction = writer.connection.unchecked_transaction()?;
        // A delete adds nothing.
        let limited = match scope {
            RowScope::OwnedBy(peer, quota) if !row.is_empty() => {
                Some((peer, quota, Usage::of(&transaction, peer)?))
            }
            _ => None,
        };
        if transaction.execute(&sql, params_from_iter(values))? == 0 {
            return Err(StoreError::NoRow { table: table.clone(), id });
        }
        if let Some((peer, quota, before)) = limited {
            quota.check(&transaction, peer, before)?;
        }
        Ok(transaction.commit()?)
    }

    /// Makes a table with the given columns and the system columns.
    ///
    /// # Errors
    /// [`StoreError::TableExists`], or when a column can't be made.
    pub fn create_table(
        &self,
        table: &TableName,
        definitions: &[ColumnDefinition],
        policy: Policy,
    ) -> Result<(), StoreError> {
        let mut parts: Vec<String> = missing_system_columns(&[]).into_iter().map(str::to_owned).collect();
        for definition in definitions {
            parts.push(definition.sql()?);
        }
        let sql = format!("CREATE TABLE \"{table}\" ({})", parts.join(", "));
        let mut writer = self.writer();
        let transaction = writer.connection.transaction()?;
        if table_exists(&transaction, table)? {
            return Err(StoreError::TableExists { table: table.clone() });
        }
        transaction.execute(&sql, [])?;
        register(&transaction, table, policy)?;
        Ok(transaction.commit()?)
    }

    /// Adds a column to a table.
    ///
    /// # Errors
    /// When the table does not exist or the column can't be made, e.g. NOT NULL without a default.
    pub fn add_column(&self, table: &TableName, definition: &ColumnDefinition) -> Result<(), StoreError> {
        self.alter(table, &format!("ADD COLUMN {}", definition.sql()?))
    }

    /// Removes a column and what it holds.
    ///
    /// # Errors
    /// When the table or column does not exist, or the column is the host's or in use by an index.
    pub fn drop_column(&self, table: &TableName, column: &ColumnName) -> Result<(), StoreError> {
        let column = ColumnName::parse_user(column.as_str())?;
        self.alter(table, &format!("DROP COLUMN \"{column}\""))
    }

    fn alter(&self, table: &TableName, change: &str) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let transaction = writer.connection.transaction()?;
        registered(&transaction, table)?;
        transaction.execute(&format!("ALTER TABLE \"{table}\" {change}"), [])?;
        refresh_schema(&transaction, table)?;
        Ok(transaction.commit()?)
    }

    /// Renames a table; its rows and policy stay.
    ///
    /// # Errors
    /// [`StoreError::NoTable`] or [`StoreError::TableExists`].
    pub fn rename_table(&self, old: &TableName, new: &TableName) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let transaction = writer.connection.transaction()?;
        registered(&transaction, old)?;
        if table_exists(&transaction, new)? && !old.as_str().eq_ignore_ascii_case(new.as_str()) {
            return Err(StoreError::TableExists { table: new.clone() });
        }
        transaction.execute(&format!("ALTER TABLE \"{old}\" RENAME TO \"{new}\""), [])?;
        transaction.execute(
            "UPDATE _tables SET name = ?1 WHERE name = ?2 COLLATE NOCASE",
            [new.as_str(), old.as_str()],
        )?;
        refresh_schema(&transaction, new)?;
        rename_owner_index(&transaction, old, new)?;
        Ok(transaction.commit()?)
    }

    /// Deletes a table and all its rows; or what is left of one that another program has dropped.
    ///
    /// # Errors
    /// [`StoreError::NoTable`] when there is no such table.
    pub fn delete_table(&self, table: &TableName) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let transaction = writer.connection.transaction()?;
        let delete = "DELETE FROM _tables WHERE name = ?1 COLLATE NOCASE";
        if transaction.execute(delete, [table.as_str()])? == 0 {
            return Err(StoreError::NoTable { table: table.clone() });
        }
        transaction.execute(&format!("DROP TABLE IF EXISTS \"{table}\""), [])?;
        Ok(transaction.commit()?)
    }
}

/// Refuses the host's columns, and names that the table does not declare: SQLite knows `rowid` and
/// `oid` all the same, and a row with the largest number would be the last that the table takes.
fn check_columns(
    connection: &Connection,
    table: &TableName,
    row: &[(ColumnName, SqlValue)],
) -> Result<(), StoreError> {
    let declared = columns(connection, table)?;
    for (column, _) in row {
        if ColumnName::parse_user(column.as_str()).is_err() {
            return Err(StoreError::SystemColumn { column: column.clone() });
        }
        if !declared.iter().any(|known| known.name.eq_ignore_ascii_case(column.as_str())) {
            return Err(StoreError::NoColumn { table: table.clone(), column: column.clone() });
        }
    }
    Ok(())
}

/// The policy of a table that visitors may know of. Tables outside `_tables` do not exist for them, and
/// neither do entries of it whose table another program has dropped.
fn registered(connection: &Connection, table: &TableName) -> Result<Policy, StoreError> {
    let policy: Option<Option<String>> = connection
        .query_row(
            "SELECT insert_policy FROM _tables WHERE name = ?1 COLLATE NOCASE",
            [table.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    match policy {
        Some(name) if table_exists(connection, table)? => {
            Ok(Policy::from_name(name.as_deref().unwrap_or_default()))
        }
        _ => Err(StoreError::NoTable { table: table.clone() }),
    }
}

/// Whether SQLite has a table of that name, registered or not.
pub(super) fn table_exists(connection: &Connection, table: &TableName) -> rusqlite::Result<bool> {
    connection
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
            [table.as_str()],
            |_| Ok(()),
        )
        .optional()
        .map(|found| found.is_some())
}

pub(super) fn columns(connection: &Connection, table: &TableName) -> Result<Vec<ColumnInfo>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT cid, name, type, \"notnull\", dflt_value, pk FROM pragma_table_xinfo(?1) ORDER BY cid",
    )?;
    let rows = statement.query_map([table.as_str()], |row| {
        Ok(ColumnInfo {
            cid: row.get(0)?,
            name: row.get(1)?,
            column_type: row.get(2)?,
            not_null: row.get(3)?,
            default: row.get(4)?,
            pk: row.get::<_, i64>(5)? > 0,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Enters a new table in `_tables`, with the SQL that SQLite keeps for it, and indexes its owners.
pub(super) fn register(connection: &Connection, table: &TableName, policy: Policy) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO _tables (name, schema, insert_policy)
             VALUES (?1, COALESCE((SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1), ''), ?2)",
            [table.as_str(), policy.name()],
        )
        .and_then(|_| index_owners(connection, table))
}

/// The user tables: what `_tables` names and is there.
pub(super) fn registered_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT t.name FROM _tables t JOIN sqlite_schema s
         ON s.type = 'table' AND s.name = t.name COLLATE NOCASE",
    )?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn refresh_schema(connection: &Connection, table: &TableName) -> rusqlite::Result<()> {
    connection
        .execute(
            "UPDATE _tables SET schema =
                COALESCE((SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE), '')
             WHERE name = ?1 COLLATE NOCASE",
            [table.as_str()],
        )
        .map(drop)
}
