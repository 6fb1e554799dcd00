//! The peer's own database: `data.db` in the peer folder, opened unchanged from deployed peers.
//!
//! [`Database`] is the one writer; [`ReadOnly`] answers questions from scripts and visitors on
//! connections that cannot write. [`MessageLog`] is the chat's history, in a file of its own.
//! Everything here blocks: async callers go through
//! `tokio::task::spawn_blocking`.

mod allowed_functions;
#[cfg(feature = "peer")]
mod apply;
mod clock;
mod database;
mod definition;
mod error;
mod functions;
mod memory;
#[cfg(feature = "peer")]
mod message_log;
mod names;
mod policy;
mod private_file;
mod quota;
mod readonly;
#[cfg(feature = "peer")]
mod schema;
mod tables;
mod value;
mod wildcard;

#[cfg(feature = "peer")]
pub use apply::AppliedSchema;
pub use database::{DATABASE_FILE, Database, MAX_DATABASE_BYTES};
pub use definition::{ColumnDefinition, DefaultValue};
pub use error::{QueryError, StoreError};
#[cfg(feature = "peer")]
pub use message_log::{LogEntry, LogLimits, LogRange, LoggedEntry, MessageLog};
pub use names::{ColumnName, MAX_NAME_CHARS, NameError, TableName};
pub use policy::Policy;
pub use quota::{MAX_VISITORS_BYTES, Quota};
pub use readonly::{MAX_QUERY_BYTES, MAX_QUERY_ROWS, MAX_SQL_BYTES, QueryLimits, ReadOnly, Rows};
#[cfg(feature = "peer")]
pub use schema::{MAX_SCHEMA_BYTES, SchemaError, tables_in_schema};
pub use tables::{ColumnInfo, RowScope, Stamp, TableInfo};
pub use value::SqlValue;
