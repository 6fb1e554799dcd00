//! What can go wrong with the database. The texts reach script authors and visitors, so they name
//! the table, the value and the limit, and never a path of the peer's machine except for its owner.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::functions::OUT_OF_TIME;
use super::{ColumnName, MAX_DATABASE_BYTES, MAX_VISITORS_BYTES, NameError, TableName};

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file can't be opened or is no database.
    #[error("can't open the database {}: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        reason: String,
    },
    /// No such user table.
    #[error("no such table: {table}")]
    NoTable {
        /// The name asked for.
        table: TableName,
    },
    /// The table exists already.
    #[error("table {table} already exists")]
    TableExists {
        /// The name asked for.
        table: TableName,
    },
    /// The row does not exist, or belongs to somebody else. One message for both, so that a
    /// stranger can't find out which ids exist.
    #[error("{table} has no row {id} that is yours")]
    NoRow {
        /// The table.
        table: TableName,
        /// The row asked for.
        id: i64,
    },
    /// Nothing to write.
    #[error("a row for {table} needs at least one column")]
    NoColumns {
        /// The table.
        table: TableName,
    },
    /// The table has no such column.
    #[error("table {table} has no column {column}")]
    NoColumn {
        /// The table.
        table: TableName,
        /// The column asked for.
        column: ColumnName,
    },
    /// A column that users may not write.
    #[error("column {column} is kept by the host and can't be set")]
    SystemColumn {
        /// The column.
        column: ColumnName,
    },
    /// A name that is not one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A column definition that can't be made.
    #[error("column {column}: {problem}")]
    Definition {
        /// The column.
        column: ColumnName,
        /// What is wrong with it.
        problem: String,
    },
    /// The database has reached its size limit.
    #[error(
        "the peer's database is full (limit {} MiB): delete rows before adding more",
        MAX_DATABASE_BYTES / 1024 / 1024
    )]
    Full,
    /// The visitor keeps as many rows as one visitor may.
    #[error("one visitor may keep {limit} rows on this peer, and you have them: delete some first")]
    TooManyRows {
        /// The limit.
        limit: u64,
    },
    /// The visitor's rows would be larger than one visitor's may be.
    #[error(
        "your rows would take {found} bytes, and one visitor may keep {limit} on this peer: delete some first"
    )]
    TooManyBytes {
        /// What they would take, in bytes.
        found: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// All visitors together fill what is theirs; the rest is kept for the owner.
    #[error(
        "visitors fill the {} MiB that this peer keeps for them: rows have to be deleted before new ones fit",
        MAX_VISITORS_BYTES / 1024 / 1024
    )]
    VisitorsFull,
    /// The time was over; nothing was changed.
    #[error("the change took too long and was undone")]
    TimedOut,
    /// SQLite got no memory, and nobody was there to end for it.
    #[error("there is not enough memory for the change")]
    OutOfMemory,
    /// SQLite refused.
    #[error("{message}")]
    Sqlite {
        /// SQLite's own words, e.g. `UNIQUE constraint failed: notes.title`.
        message: String,
    },
}

impl StoreError {
    pub(super) fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::OutOfMemory) => Self::OutOfMemory,
            Some(ErrorCode::OperationInterrupted) => Self::TimedOut,
            _ => match sqlite_message(&error) {
                message if message == OUT_OF_TIME => Self::TimedOut,
                message => Self::Sqlite { message },
            },
        }
    }
}

/// Why a query gave no rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The peer has no `data.db`.
    #[error("this peer has no database yet")]
    NoDatabase,
    /// The SQL text is too long.
    #[error("the query is {found} bytes long, the limit is {limit}")]
    SqlTooLong {
        /// Its length in bytes.
        found: usize,
        /// The longest accepted, in bytes.
        limit: usize,
    },
    /// No statement at all.
    #[error("the query is empty")]
    Empty,
    /// A NUL character, which SQLite takes for the end of the text.
    #[error("the query holds a NUL character")]
    Nul,
    /// More than one statement.
    #[error("a query is one statement: found more text after its end")]
    ManyStatements,
    /// A statement that would change something, or reach outside the database.
    #[error("the database is read only here: {message}")]
    ReadOnly {
        /// What was refused.
        message: String,
    },
    /// The number of parameters differs from the number of placeholders.
    #[error("the query has {}, found {}", counted(*.expected, "placeholder"), counted(*.found, "value"))]
    Parameters {
        /// How many values the statement takes.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// Too many calls of functions, between which SQLite does not look at the clock.
    #[error("the query calls more than {limit} functions")]
    TooManyFunctions {
        /// The most allowed.
        limit: usize,
    },
    /// The result is too large.
    #[error("the query's result is larger than {limit} bytes: ask for fewer rows or columns")]
    TooManyBytes {
        /// The limit in bytes.
        limit: usize,
    },
    /// It met the bound of SQLite's memory, or held most of it when another query did.
    #[error("the query needs more memory than it may use")]
    TooMuchMemory,
    /// The deadline passed.
    #[error("the query ran out of time")]
    Deadline,
    /// The caller gave up.
    #[error("the query was cancelled")]
    Cancelled,
    /// SQLite refused.
    #[error("{message}")]
    Sqlite {
        /// SQLite's own words, e.g. `no such table: quiz_answers`.
        message: String,
    },
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// SQLite's own words without the statement, which the asker knows and others should not see.
pub(super) fn sqlite_message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqliteFailure(code, None) => code.to_string(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}
