//! A bounded log of messages on disk, shared fairly between those who fill it.
//!
//! It has a file of its own, because `data.db` is open to every script's queries, and what people
//! write to each other is not. What a message is, the log does not know: it keeps bytes, in order,
//! each charged to somebody's share. When there is no room, the oldest of the *largest* share go:
//! so whoever floods the log pushes out their own messages, and never a smaller share's. Shares of
//! a fixed size were rejected: they would leave most of the room empty, or be too small for two
//! people who talk a lot.
//!
//! A file that is no log, or damaged, is set aside under another name and a new one begun: the
//! chat goes on, and what can be saved is still there.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::error::sqlite_message;
use super::memory::{is_out_of_memory, limit_process_heap, with_room};
use super::{StoreError, private_file};

/// The form of the file; another one is set aside.
const VERSION: i64 = 1;

/// What an entry costs besides its bytes: keys, lengths, its places in three indexes.
const ENTRY_BYTES: u64 = 256;

/// How long a write waits for another process (the owner's own tools) that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How much of the write-ahead log stays on disk after a checkpoint, in bytes.
const MAX_IDLE_LOG_BYTES: i64 = 4 * 1024 * 1024;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        share TEXT NOT NULL,
        sender TEXT NOT NULL,
        id TEXT NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (sender, id)
    );
    CREATE INDEX IF NOT EXISTS messages_by_share ON messages (share, number);
";

/// How much a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// The most entries.
    pub max_entries: u64,
    /// The most bytes, with 256 counted for each entry besides its body.
    pub max_bytes: u64,
}

/// A message to be kept.
#[derive(Debug, Clone, Copy)]
pub struct LogEntry<'a> {
    /// Whose share of the log it takes.
    pub share: &'a str,
    /// Who sent it; with `id`, what tells it from all others.
    pub sender: &'a str,
    /// Unique among the sender's messages.
    pub id: &'a str,
    /// The message.
    pub body: &'a [u8],
}

/// A kept message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    /// Its place in the log; later ones have larger numbers.
    pub number: i64,
    /// The message as it was given.
    pub body: Vec<u8>,
}

/// Which messages are read.
#[derive(Debug, Clone, Copy)]
pub struct LogRange<'a> {
    /// Only those of this share.
    pub share: Option<&'a str>,
    /// Only those before this number.
    pub before: Option<i64>,
    /// The most that are read: the newest of them.
    pub limit: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Share {
    entries: u64,
    bytes: u64,
}

impl Share {
    fn add(&mut self, bytes: u64) {
        self.entries += 1;
        self.bytes += bytes;
    }

    fn take(&mut self, bytes: u64) {
        self.entries = self.entries.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// The log. Every method blocks: call them from blocking threads only.
#[derive(Debug)]
pub struct MessageLog {
    connection: Connection,
    limits: LogLimits,
    /// What each share holds, as on disk: at most one for each entry.
    shares: HashMap<String, Share>,
    total: Share,
}

impl MessageLog {
    /// Opens the log in the file `path`, or begins one, in a folder that is made if need be. A file
    /// that can't be read as a log is set aside, and the owner's log says where it is.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the file can't be opened, or not be set aside.
    pub fn open(path: &Path, limits: LogLimits) -> Result<Self, StoreError> {
        let failed = |reason: String| StoreError::Open { path: path.to_owned(), reason };
        let problem = match private_file::create(path).map_err(Problem::from).and_then(|()| open_file(path)) {
            Ok(connection) => match Self::read(connection, limits) {
                Ok(log) => return Ok(log),
                Err(error) => error,
            },
            Err(error) => error,
        };
        let reason = match problem {
            Problem::Damaged(reason) => reason,
            Problem::Other(reason) => return Err(failed(reason)),
        };
        let aside = set_aside(path).map_err(|error| failed(format!("{reason}; {error}")))?;
        tracing::warn!(
            file = %path.display(), set_aside = %aside.display(), %reason,
            "the chat history is damaged; it was set aside and a new one begun"
        );
        let described = |problem| match problem {
            Problem::Damaged(reason) | Problem::Other(reason) => failed(reason),
        };
        private_file::create(path).map_err(Problem::from).map_err(described)?;
        Self::read(open_file(path).map_err(described)?, limits).map_err(described)
    }

    /// A log that is gone when it is dropped.
    ///
    /// # Errors
    /// When SQLite gets no memory.
    pub fn in_memory(limits: LogLimits) -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        limit_process_heap(&connection)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection, limits, shares: HashMap::new(), total: Share::default() })
    }

    fn read(connection: Connection, limits: LogLimits) -> Result<Self, Problem> {
        let mut log = Self { connection, limits, shares: HashMap::new(), total: Share::default() };
        log.count()?;
        // The limits may have been larger.
        log.make_room().map_err(Problem::from)?;
        Ok(log)
    }

    fn count(&mut self) -> rusqlite::Result<()> {
        self.shares.clear();
        self.total = Share::default();
        let sql = "SELECT share, count(*), total(octet_length(body)) FROM messages GROUP BY share";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let entries = row.get::<_, i64>(1)?.unsigned_abs();
            // Whole and far below 2^53.
            let bytes = row.get::<_, f64>(2)? as u64 + entries * ENTRY_BYTES;
            self.total.entries += entries;
            self.total.bytes += bytes;
            self.shares.insert(row.get(0)?, Share { entries, bytes });
        }
        Ok(())
    }

    /// Keeps a message; on return a crash of this process does not lose it. False when its sender
    /// and id are in the log already.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn append(&mut self, entry: &LogEntry<'_>) -> Result<bool, StoreError> {
        let added = with_room(is_out_of_memory, || {
            self.connection.execute(
                "INSERT OR IGNORE INTO messages (share, sender, id, body) VALUES (?1, ?2, ?3, ?4)",
                params![entry.share, entry.sender, entry.id, entry.body],
            )
        })?;
        if added == 0 {
            return Ok(false);
        }
        let bytes = entry.body.len() as u64 + ENTRY_BYTES;
        self.shares.entry(entry.share.to_owned()).or_default().add(bytes);
        self.total.add(bytes);
        self.make_room()?;
        Ok(true)
    }

    /// Deletes the oldest of the largest share until all is within the limits. Of several that are the
    /// largest it is the one whose name is last, so that the same messages leave the same log.
    fn make_room(&mut self) -> Result<(), rusqlite::Error> {
        loop {
            let over_bytes = self.total.bytes > self.limits.max_bytes;
            if !over_bytes && self.total.entries <= self.limits.max_entries {
                return Ok(());
            }
            let size = |share: &Share| if over_bytes { share.bytes } else { share.entries };
            let Some(largest) = self.shares.iter().max_by_key(|(name, share)| (size(share), *name)) else {
                return Ok(());
            };
            let largest = largest.0.clone();
            let removed: Option<i64> = self
                .connection
                .query_row(
                    "DELETE FROM messages WHERE number =
                        (SELECT number FROM messages WHERE share = ?1 ORDER BY number LIMIT 1)
                     RETURNING octet_length(body)",
                    [&largest],
                    |row| row.get(0),
                )
                .optional()?;
            let Some(removed) = removed else {
                // Somebody else deleted from the file.
                self.shares.remove(&largest);
                return self.count();
            };
            let bytes = removed.unsigned_abs() + ENTRY_BYTES;
            self.total.take(bytes);
            if let Some(share) = self.shares.get_mut(&largest) {
                share.take(bytes);
                if share.entries == 0 {
                    self.shares.remove(&largest);
                }
            }
        }
    }

    /// The newest messages of `range`, oldest first.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read_range(&self, range: LogRange<'_>) -> Result<Vec<LoggedEntry>, StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT number, body FROM messages
             WHERE (?1 IS NULL OR share = ?1) AND number < ?2 ORDER BY number DESC LIMIT ?3",
        )?;
        let before = range.before.unwrap_or(i64::MAX);
        let limit = i64::try_from(range.limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![range.share, before, limit], |row| {
            Ok(LoggedEntry { number: row.get(0)?, body: row.get(1)? })
        })?;
        let mut entries = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        entries.reverse();
        Ok(entries)
    }
}

/// Why a file is not open as a log.
#[derive(Debug)]
enum Problem {
    /// What is in it is wrong.
    Damaged(String),
    /// The system, or another program, is in the way.
    Other(String),
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        let message = sqlite_message(&error);
        match error.sqlite_error_code() {
            // `Unknown` is SQLite's word for a table or column that is not there.
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown) => {
                Self::Damaged(message)
            }
            Some(_) => Self::Other(message),
            // A value of another type than the log writes.
            None => Self::Damaged(message),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

fn open_file(path: &Path) -> Result<Connection, Problem> {
    // Absolute, because SQLite takes a name that starts with `file:` for a URI with options.
    let connection = Connection::open(std::path::absolute(path)?)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    limit_process_heap(&connection)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Problem::Damaged(found));
    }
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version != VERSION && (version != 0 || tables != 0) {
        return Err(Problem::Damaged(format!("it has version {version}, this program knows {VERSION}")));
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A killed process loses nothing; a power cut the last moments, and never the file.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "journal_size_limit", MAX_IDLE_LOG_BYTES)?;
    // What was deleted is overwritten: people expect that of messages.
    connection.pragma_update(None, "secure_delete", "fast")?;
    connection.execute_batch(SCHEMA)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    Ok(connection)
}

/// Renames the file and those that SQLite keeps beside it. They stay together: what was written
/// last may be in `-wal` only.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let with = |suffix: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let free = (0..1000).map(|n| format!(".damaged-{}", seconds + n)).find(|s| !with(s.clone()).exists());
    let suffix = free.ok_or(io::ErrorKind::AlreadyExists)?;
    for beside in ["-wal", "-shm"] {
        match fs::rename(with(beside.to_owned()), with(format!("{suffix}{beside}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, with(suffix.clone()))?;
    Ok(with(suffix))
}
