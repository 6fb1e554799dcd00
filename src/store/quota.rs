//! What one visitor may keep in the database, so that no one fills it for all.
//!
//! A visitor's rows are counted when they write, with an index on `_owner`, and not kept in a table
//! of counts: rows also come and go through the owner, templates and deployed peers that open the
//! same folder, and a count that is wrong once stays wrong. The change is made first and undone if
//! it went too far, because only SQLite knows what defaults and generated columns add to a row.

use rusqlite::Connection;

use super::tables::registered_names;
use super::{MAX_DATABASE_BYTES, StoreError, TableName};
use crate::peer_id::PeerId;

/// How much of the database all visitors together may fill, in bytes. The rest is the owner's, who
/// could not even delete a page of rows in a file that is full.
pub const MAX_VISITORS_BYTES: u64 = MAX_DATABASE_BYTES / 4 * 3;

/// What a row costs besides its values, in bytes: its number, its lengths and its place in indexes.
/// Without it, empty rows would be free.
const ROW_BYTES: u64 = 64;

/// What one visitor may keep, in all tables together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The most rows.
    pub max_rows: u64,
    /// The most bytes, with 64 counted for each row besides its values.
    pub max_bytes: u64,
}

/// What a visitor keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    rows: u64,
    bytes: u64,
}

impl Quota {
    /// Refuses a change that took `owner` from `before` over the quota, or all visitors over their
    /// part. What leaves no more bytes than there were passes: it is how one gets below the quota
    /// again after the owner has lowered it.
    pub(super) fn check(
        &self,
        connection: &Connection,
        owner: &PeerId,
        before: Usage,
    ) -> Result<(), StoreError> {
        let after = Usage::of(connection, owner)?;
        if after.bytes <= before.bytes {
            return Ok(());
        }
        if after.rows > self.max_rows && after.rows > before.rows {
            return Err(StoreError::TooManyRows { limit: self.max_rows });
        }
        if after.bytes > self.max_bytes {
            return Err(StoreError::TooManyBytes { found: after.bytes, limit: self.max_bytes });
        }
        if used_bytes(connection)? > MAX_VISITORS_BYTES {
            return Err(StoreError::VisitorsFull);
        }
        Ok(())
    }
}

impl Usage {
    /// What `owner` keeps in all user tables.
    pub(super) fn of(connection: &Connection, owner: &PeerId) -> Result<Self, StoreError> {
        let mut usage = Self::default();
        for table in registered_names(connection)? {
            let mut columns = connection
                .prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid")?;
            let names: Vec<String> =
                columns.query_map([&table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            if !names.iter().any(|name| name == "_owner") {
                continue;
            }
            // One sum for each column: an expression over all of them would be too deep for SQLite.
            // octet_length reads no more of a long value than its length.
            let sums: String = names
                .iter()
                .map(|name| format!(", total(octet_length(\"{}\"))", name.replace('"', "\"\"")))
                .collect();
            let table = table.replace('"', "\"\"");
            let sql = format!("SELECT count(*){sums} FROM \"{table}\" WHERE _owner = ?1");
            let (rows, bytes) = connection.query_row(&sql, [owner.as_str()], |row| {
                let mut bytes = 0.0;
                for position in 1..=names.len() {
                    bytes += row.get::<_, f64>(position)?;
                }
                // Exact: sizes are whole numbers far below 2^53, and never negative.
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), bytes as u64))
            })?;
            usage.rows += rows;
            usage.bytes += bytes + rows * ROW_BYTES;
        }
        Ok(usage)
    }
}

/// The bytes of the file that hold something.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let ask = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let pages = ask("page_count")?.saturating_sub(ask("freelist_count")?);
    Ok(pages.saturating_mul(ask("page_size")?).unsigned_abs())
}

/// Lets the rows of one peer be found without reading those of the others. For a table of a
/// deployed peer, too; it does not mind.
pub(super) fn index_owners(connection: &Connection, table: &TableName) -> rusqlite::Result<()> {
    connection
        .execute(&format!("CREATE INDEX IF NOT EXISTS \"{}\" ON \"{table}\" (_owner)", index_name(table)), [])
        .map(drop)
}

/// As [`index_owners`], after the table was called `old`: the index would keep the old name, and a
/// new table of that name would go without.
pub(super) fn rename_owner_index(
    connection: &Connection,
    old: &TableName,
    new: &TableName,
) -> rusqlite::Result<()> {
    connection.execute(&format!("DROP INDEX IF EXISTS \"{}\"", index_name(old)), [])?;
    index_owners(connection, new)
}

/// User tables can't start with an underscore, so the name is free.
fn index_name(table: &TableName) -> String {
    format!("_owners_of_{table}")
}
