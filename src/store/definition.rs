//! What the owner may ask a column to be, and the SQL text made of it.
//!
//! Types are chosen from a list and defaults are literals, so that no part of a definition is SQL
//! that somebody wrote.

use super::names::SYSTEM_COLUMNS;
use super::{ColumnName, SqlValue, StoreError};

/// The types a column can have, as deployed templates name them.
const TYPES: [&str; 10] =
    ["TEXT", "INTEGER", "REAL", "BLOB", "NUMERIC", "DATETIME", "DATE", "BOOLEAN", "JSON", "VARCHAR"];

/// A column's default.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// This value; not a blob.
    Literal(SqlValue),
    /// The moment of the insert.
    CurrentTimestamp,
}

/// One column to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDefinition {
    /// Its name; not a system column's.
    pub name: ColumnName,
    /// Its type, in any case; one of TEXT, INTEGER, REAL, BLOB, NUMERIC, DATETIME, DATE, BOOLEAN, JSON, VARCHAR.
    pub column_type: String,
    /// Whether it refuses NULL.
    pub not_null: bool,
    /// What a row has when nothing is given.
    pub default: Option<DefaultValue>,
}

impl ColumnDefinition {
    /// The definition as SQL.
    pub(super) fn sql(&self) -> Result<String, StoreError> {
        ColumnName::parse_user(self.name.as_str())?;
        let wanted = self.column_type.trim();
        let Some(column_type) = TYPES.iter().find(|known| known.eq_ignore_ascii_case(wanted)) else {
            let problem = format!("unknown type {wanted:?}; known are {}", TYPES.join(", "));
            return Err(StoreError::Definition { column: self.name.clone(), problem });
        };
        let mut sql = format!("\"{}\" {column_type}", self.name);
        if self.not_null {
            sql.push_str(" NOT NULL");
        }
        if let Some(default) = &self.default {
            sql.push_str(" DEFAULT ");
            sql.push_str(&self.default_sql(default)?);
        }
        Ok(sql)
    }

    fn default_sql(&self, default: &DefaultValue) -> Result<String, StoreError> {
        let problem = match default {
            DefaultValue::CurrentTimestamp => return Ok("CURRENT_TIMESTAMP".to_owned()),
            DefaultValue::Literal(SqlValue::Null) => return Ok("NULL".to_owned()),
            DefaultValue::Literal(SqlValue::Integer(number)) => return Ok(number.to_string()),
            DefaultValue::Literal(SqlValue::Real(number)) if number.is_finite() => {
                return Ok(format!("{number:?}"));
            }
            DefaultValue::Literal(SqlValue::Text(text)) if !text.contains('\0') => {
                return Ok(format!("'{}'", text.replace('\'', "''")));
            }
            DefaultValue::Literal(SqlValue::Real(_)) => "a default is a finite number",
            DefaultValue::Literal(SqlValue::Text(_)) => "a default can't hold a NUL character",
            DefaultValue::Literal(SqlValue::Blob(_)) => "a default can't be a blob",
        };
        Err(StoreError::Definition { column: self.name.clone(), problem: problem.to_owned() })
    }
}

/// The definition of a system column, except `_id`.
fn system_column_sql(name: &str) -> &'static str {
    match name {
        "_id" => "_id INTEGER PRIMARY KEY AUTOINCREMENT",
        "_owner" => "_owner TEXT NOT NULL",
        "_owner_email" => "_owner_email TEXT",
        "_created_at" => "_created_at DATETIME DEFAULT CURRENT_TIMESTAMP",
        _ => "_updated_at DATETIME DEFAULT CURRENT_TIMESTAMP",
    }
}

/// The definitions of the system columns that a table does not declare itself, in order.
pub(super) fn missing_system_columns(declared: &[String]) -> Vec<&'static str> {
    SYSTEM_COLUMNS
        .into_iter()
        .filter(|system| !declared.iter().any(|name| name.eq_ignore_ascii_case(system)))
        .map(system_column_sql)
        .collect()
}
