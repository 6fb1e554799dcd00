//! Opening `data.db` for writing.
//!
//! One connection writes, behind a lock, and every statement on it is the host's own: no SQL of a
//! visitor or a script ever runs here. SQLite allows one writer at a time anyway, so a pool of
//! writing connections would only move the waiting into SQLite. What tables there are is read on a
//! connection of its own, because who only reads must not wait for a slow write.
//!
//! Foreign keys are declared but not enforced, as in deployed peers: enforcement would let one
//! visitor's delete cascade into rows of others, or one visitor's row block the owner's delete.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags};

use super::clock::QueryClock;
use super::functions::bound_builtin_functions;
use super::memory::limit_process_heap;
use super::quota::index_owners;
use super::tables::registered_names;
use super::{ReadOnly, StoreError, TableName, private_file};

/// The database's file name in the peer folder.
pub const DATABASE_FILE: &str = crate::config::DATABASE_FILE;

/// How large the database may grow, in bytes: visitors write to it, so its size is theirs to choose.
pub const MAX_DATABASE_BYTES: u64 = 256 * 1024 * 1024;

/// How much of the write-ahead log stays on disk after a checkpoint, in bytes.
const MAX_IDLE_LOG_BYTES: i64 = 8 * 1024 * 1024;

/// How large the write-ahead log may grow, in bytes, before a write waits until it could be emptied.
/// SQLite empties it by itself only at a moment when nobody reads, and visitors can see to it that
/// there is none: then every change of one row makes the file longer.
const MAX_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// How long a write waits for another process (the owner's own tools) that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one insert, update or delete may take. A table's CHECK, DEFAULT and generated columns are
/// expressions that came with a template, and everyone else waits for the writer meanwhile.
const ROW_TIME_LIMIT: Duration = Duration::from_secs(2);

/// A peer's database, open for writing and reading.
///
/// Every method blocks, on the disk and on other writers: call them from blocking threads only
/// (`tokio::task::spawn_blocking`).
#[derive(Debug)]
pub struct Database {
    writer: Mutex<Writer>,
    catalog: Mutex<Connection>,
    reader: ReadOnly,
    log_path: PathBuf,
}

/// The writing connection, and the clock that stops what runs on it.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) clock: QueryClock,
}

/// The writing connection while its clock runs.
pub(super) struct Timed<'a>(MutexGuard<'a, Writer>);

impl Deref for Timed<'_> {
    type Target = Writer;

    fn deref(&self) -> &Writer {
        &self.0
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.0.clock.clear();
    }
}

impl Database {
    /// Opens the database of the peer folder, or makes an empty one.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the file can't be opened, or is not a database.
    pub fn open(peer_dir: &Path) -> Result<Self, StoreError> {
        let path = database_path(peer_dir);
        let log_path = path.with_file_name(format!("{DATABASE_FILE}-wal"));
        if let Err(error) = private_file::create(&path) {
            return Err(StoreError::Open { path, reason: error.to_string() });
        }
        let opened = open_writer(&path).and_then(|writer| Ok((writer, open_catalog(&path)?)));
        let (writer, catalog) = opened
            .map_err(|error| StoreError::Open { path, reason: super::error::sqlite_message(&error) })?;
        index_all_owners(&writer.connection);
        let (writer, catalog) = (Mutex::new(writer), Mutex::new(catalog));
        Ok(Self { writer, catalog, reader: ReadOnly::open(peer_dir), log_path })
    }

    /// The connections that answer queries.
    pub fn reader(&self) -> &ReadOnly {
        &self.reader
    }

    /// The connection for questions about tables. They are the host's own and end at once.
    pub(super) fn catalog(&self) -> MutexGuard<'_, Connection> {
        self.catalog.lock()
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock()
    }

    /// Empties a log over [`MAX_LOG_BYTES`]: waits for who reads from it ([`BUSY_TIMEOUT`] at most),
    /// while nobody writes and who comes now reads the database file.
    fn empty_long_log(&self, connection: &Connection) {
        if std::fs::metadata(&self.log_path).map_or(0, |log| log.len()) <= MAX_LOG_BYTES {
            return;
        }
        let emptied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        // Who still reads may go on: the wait keeps the log from growing fast, and the next write
        // tries again.
        if !matches!(emptied, Ok(0)) {
            tracing::warn!(?emptied, "the database's log could not be emptied");
        }
    }

    /// The writing connection for one change of a row, which has [`ROW_TIME_LIMIT`].
    pub(super) fn timed_writer(&self) -> Timed<'_> {
        let writer = self.writer.lock();
        self.empty_long_log(&writer.connection);
        writer.clock.set(Instant::now() + ROW_TIME_LIMIT, Arc::default());
        Timed(writer)
    }
}

/// The database file of a peer folder. Absolute, because SQLite takes a name that starts with
/// `file:` for a URI with options.
pub(super) fn database_path(peer_dir: &Path) -> PathBuf {
    let path = peer_dir.join(DATABASE_FILE);
    std::path::absolute(&path).unwrap_or(path)
}

fn open_writer(path: &Path) -> rusqlite::Result<Writer> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // In WAL mode this loses at most the last moments on a power cut, never the database.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "journal_size_limit", MAX_IDLE_LOG_BYTES)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    limit_process_heap(&connection)?;
    limit_file_size(&connection)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS _tables (
            name TEXT PRIMARY KEY,
            schema TEXT NOT NULL DEFAULT '',
            insert_policy TEXT NOT NULL DEFAULT 'owner',
            created_at DATETIME DEFAULT CURRENT_TIMESTAMP
        )",
    )?;
    connection.authorizer(Some(authorize))?;
    let clock = QueryClock::default();
    bound_builtin_functions(&connection, &clock)?;
    let watched = clock.clone();
    connection.progress_handler(1000, Some(move || watched.stopped()))?;
    Ok(Writer { connection, clock })
}

fn open_catalog(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(connection)
}

/// Indexes tables that came without this host: a deployed peer's, or an older version's.
fn index_all_owners(connection: &Connection) {
    for name in registered_names(connection).unwrap_or_default() {
        let Ok(table) = TableName::parse(&name) else { continue };
        // A file that is full, or a table that is no longer there: counting is slower without, and
        // all else works.
        if let Err(error) = index_owners(connection, &table) {
            tracing::warn!(%table, %error, "the table could not be indexed by owner");
        }
    }
}

fn limit_file_size(connection: &Connection) -> rusqlite::Result<()> {
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    // A larger file of an older peer opens; it just cannot grow.
    let pages = i64::try_from(MAX_DATABASE_BYTES).unwrap_or(i64::MAX) / page_bytes.max(512);
    connection.pragma_update(None, "max_page_count", pages)
}

/// The host's own statements need tables, indexes and rows. All else (other files, settings,
/// triggers, views, virtual tables) is refused, so that a template's `schema.sql` can't reach it even
/// if SQLite and our reading of that file should ever disagree.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select
        | AuthAction::Recursive
        | AuthAction::Read { .. }
        | AuthAction::Insert { .. }
        | AuthAction::Update { .. }
        | AuthAction::Delete { .. }
        | AuthAction::CreateTable { .. }
        | AuthAction::CreateIndex { .. }
        | AuthAction::DropTable { .. }
        | AuthAction::DropIndex { .. }
        | AuthAction::AlterTable { .. }
        | AuthAction::Reindex { .. }
        | AuthAction::Transaction { .. } => Authorization::Allow,
        AuthAction::Pragma { pragma_name, pragma_value: None }
            if ["page_count", "freelist_count", "page_size"]
                .iter()
                .any(|known| pragma_name.eq_ignore_ascii_case(known)) =>
        {
            Authorization::Allow
        }
        AuthAction::Pragma { pragma_name, .. }
            if ["table_xinfo", "wal_checkpoint"]
                .iter()
                .any(|known| pragma_name.eq_ignore_ascii_case(known)) =>
        {
            Authorization::Allow
        }
        AuthAction::Function { function_name }
            if !function_name.eq_ignore_ascii_case("load_extension")
                && !function_name.eq_ignore_ascii_case("fts3_tokenizer") =>
        {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}
