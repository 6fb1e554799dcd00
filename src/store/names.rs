//! Names of tables and columns, checked once at the edge.
//!
//! SQL has no placeholder for a name, so names are the one thing a stranger sends that must stand
//! in SQL text. Restricting them to plain identifiers was preferred to quoting whatever arrives:
//! a name that needs no quoting cannot be quoted wrongly.

use std::fmt;

/// The longest table or column name, in characters.
pub const MAX_NAME_CHARS: usize = 64;

/// The columns that the host keeps in every user table.
pub(super) const SYSTEM_COLUMNS: [&str; 5] = ["_id", "_owner", "_owner_email", "_created_at", "_updated_at"];

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is empty.
    #[error("a {kind} name can't be empty")]
    Empty {
        /// `table` or `column`.
        kind: &'static str,
    },
    /// The name is too long.
    #[error("a {kind} name has at most {MAX_NAME_CHARS} characters, found {found}")]
    TooLong {
        /// `table` or `column`.
        kind: &'static str,
        /// Its length in bytes.
        found: usize,
    },
    /// A character outside letters, digits and underscore, or a digit in front.
    #[error("a {kind} name is made of letters, digits and _ and starts with a letter or _, found {name:?}")]
    NotIdentifier {
        /// `table` or `column`.
        kind: &'static str,
        /// The name found.
        name: String,
    },
    /// A name that belongs to the host or to SQLite.
    #[error("{kind} names starting with _ or sqlite_ belong to the host, found {name:?}")]
    Reserved {
        /// `table` or `column`.
        kind: &'static str,
        /// The name found.
        name: String,
    },
}

/// The name of a user table: a plain identifier that is neither the host's nor SQLite's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName(String);

impl TableName {
    /// Checks that `name` can be a user table.
    ///
    /// # Errors
    /// When it is not an identifier of 1 to [`MAX_NAME_CHARS`] characters, or is reserved.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        check_identifier("table", name)?;
        if is_reserved(name) {
            return Err(NameError::Reserved { kind: "table", name: name.to_owned() });
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as text; it needs no quoting but is quoted in SQL because it may be a keyword.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a column, a system column such as `_owner` included.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnName(String);

impl ColumnName {
    /// Checks that `name` can be a column, for reading.
    ///
    /// # Errors
    /// When it is not an identifier of 1 to [`MAX_NAME_CHARS`] characters.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        check_identifier("column", name)?;
        Ok(Self(name.to_owned()))
    }

    /// Checks that `name` can be a column that users define and fill.
    ///
    /// # Errors
    /// As [`ColumnName::parse`], and when the name belongs to the host.
    pub fn parse_user(name: &str) -> Result<Self, NameError> {
        let column = Self::parse(name)?;
        if is_reserved(name) {
            return Err(NameError::Reserved { kind: "column", name: name.to_owned() });
        }
        Ok(column)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_identifier(kind: &'static str, name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty { kind });
    }
    if name.len() > MAX_NAME_CHARS {
        return Err(NameError::TooLong { kind, found: name.len() });
    }
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Ok(())
    } else {
        Err(NameError::NotIdentifier { kind, name: name.to_owned() })
    }
}

fn is_reserved(name: &str) -> bool {
    name.starts_with('_') || name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_tables_are_plain_identifiers_outside_the_reserved_names() {
        assert!(TableName::parse("quiz_answers2").is_ok());
        for reserved in ["_tables", "sqlite_master", "SQLITE_schema"] {
            assert!(matches!(TableName::parse(reserved), Err(NameError::Reserved { .. })), "{reserved}");
        }
        for wrong in ["2a", "a b", "a;", "a\"", "é", "main.t"] {
            assert!(matches!(TableName::parse(wrong), Err(NameError::NotIdentifier { .. })), "{wrong}");
        }
        assert_eq!(TableName::parse(""), Err(NameError::Empty { kind: "table" }));
        assert!(TableName::parse(&"a".repeat(64)).is_ok());
        assert_eq!(TableName::parse(&"a".repeat(65)), Err(NameError::TooLong { kind: "table", found: 65 }));
    }

    #[test]
    fn system_columns_can_be_read_but_not_defined() {
        assert!(ColumnName::parse("_owner").is_ok());
        assert!(matches!(ColumnName::parse_user("_owner"), Err(NameError::Reserved { .. })));
    }
}
