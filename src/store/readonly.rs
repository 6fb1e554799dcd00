//! What scripts and visitors may ask of the database: one statement that only reads.
//!
//! Four locks, each enough on its own against writing: the file is opened in SQLite's read-only
//! mode, `query_only` is set, an authorizer allows nothing but SELECT, and the prepared statement
//! must say of itself that it only reads. Time is kept by a progress handler, memory by SQLite's
//! length limits and, for all queries together, by `super::memory`. Looking at the SQL text for
//! forbidden words was rejected: a second, weaker reader of SQL always disagrees with SQLite's somewhere.
//!
//! More than [`QueryLimits::max_rows`] rows: the first ones are returned and [`Rows::truncated`] is
//! set, because "queries return at most 1000 rows" describes a result. More than
//! [`QueryLimits::max_bytes`]: an error, because half a value helps nobody.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Batch, Connection, ErrorCode, OpenFlags, Statement};

use super::allowed_functions::{FunctionCount, MAX_FUNCTION_ARGUMENTS, MAX_FUNCTION_USES};
use super::clock::QueryClock;
use super::database::database_path;
use super::error::sqlite_message;
use super::functions::bound_builtin_functions;
use super::memory::{Running, is_out_of_memory, limit_process_heap};
use super::value::json_bytes;
use super::{QueryError, SqlValue};

/// The most rows one query returns.
pub const MAX_QUERY_ROWS: usize = 1000;

/// The largest result of one query, in bytes as JSON.
pub const MAX_QUERY_BYTES: usize = 1024 * 1024;

/// The longest SQL text of one query, in bytes. It bounds how many costly functions stand in a row,
/// between which SQLite does not look at the clock.
pub const MAX_SQL_BYTES: usize = 32 * 1024;

/// Twice the largest result, so that a row holding the largest insert and its keys can be read.
pub(super) const MAX_VALUE_BYTES: i32 = 2 * 1024 * 1024;

/// How many queries run at once; one more waits for its turn until its deadline.
const MAX_OPEN: usize = 16;

/// How many connections are kept open for the next query.
const MAX_IDLE: usize = 4;

/// How much of the file a connection remembers, in KiB: with all of them open, a third of the memory
/// that SQLite may hold.
const CACHE_KIB: i64 = 1024;

/// How many SQLite instructions run between two looks at the clock.
const INSTRUCTIONS_PER_CHECK: i32 = 200;

/// When a query stops.
#[derive(Debug, Clone)]
pub struct QueryLimits {
    /// The most rows returned; the rest is left off.
    pub max_rows: usize,
    /// The largest result in bytes as JSON; more is an error.
    pub max_bytes: usize,
    /// When the query is stopped.
    pub deadline: Instant,
    /// Set to stop the query at once.
    pub cancel: Arc<AtomicBool>,
}

impl QueryLimits {
    /// The specification's limits, up to `deadline`, with a cancel flag of its own.
    pub fn until(deadline: Instant) -> Self {
        Self { max_rows: MAX_QUERY_ROWS, max_bytes: MAX_QUERY_BYTES, deadline, cancel: Arc::default() }
    }
}

/// The result of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The columns' names, in order. Names may repeat.
    pub columns: Vec<String>,
    /// The rows; each has one value for each column.
    pub rows: Vec<Vec<SqlValue>>,
    /// Whether there were more rows than the limit.
    pub truncated: bool,
}

/// Asks questions of one peer's database. Cheap to make; shared between threads.
///
/// Used from blocking threads only. Each query has a connection to itself, so that a slow one
/// holds up no other.
#[derive(Debug)]
pub struct ReadOnly {
    path: PathBuf,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Reader>,
    open: usize,
}

impl ReadOnly {
    /// Prepares to read the database of the peer folder. No file is touched before the first
    /// query, so that a peer without tables can have scripts.
    pub fn open(peer_dir: &Path) -> Self {
        Self { path: database_path(peer_dir), pool: Mutex::default(), freed: Condvar::new() }
    }

    /// Runs one reading statement with `parameters` in place of its `?`.
    ///
    /// # Errors
    /// [`QueryError`] says which limit was met, what was refused, or what SQLite found wrong.
    pub fn query(
        &self,
        sql: &str,
        parameters: &[SqlValue],
        limits: &QueryLimits,
    ) -> Result<Rows, QueryError> {
        if sql.len() > MAX_SQL_BYTES {
            return Err(QueryError::SqlTooLong { found: sql.len(), limit: MAX_SQL_BYTES });
        }
        if sql.contains('\0') {
            return Err(QueryError::Nul);
        }
        let mut lease = self.lease(limits)?;
        let mut running = Running::begin();
        loop {
            running.begin_attempt();
            let result = attempt(&mut lease, &running, sql, parameters, limits);
            if running.may_have_held_much() || result == Err(QueryError::TooMuchMemory) {
                // What a connection keeps lies among what the query held: the system would get none
                // of it back.
                lease.reader = None;
            }
            match result {
                // Nothing was given to the caller yet, and reading twice does no harm.
                Err(QueryError::TooMuchMemory) if running.may_try_again(limits.deadline) => {}
                result => return result,
            }
        }
    }

    fn lease(&self, limits: &QueryLimits) -> Result<Lease<'_>, QueryError> {
        let mut pool = self.pool.lock();
        while pool.open >= MAX_OPEN {
            if self.freed.wait_until(&mut pool, limits.deadline).timed_out() {
                return Err(QueryError::Deadline);
            }
        }
        pool.open += 1;
        let idle = pool.idle.pop();
        drop(pool);
        Ok(Lease { owner: self, reader: idle })
    }
}

/// One connection and the clock that its progress handler and functions look at.
#[derive(Debug)]
struct Reader {
    connection: Connection,
    clock: QueryClock,
    functions: FunctionCount,
}

/// A connection taken out of the pool; it goes back when dropped.
struct Lease<'a> {
    owner: &'a ReadOnly,
    reader: Option<Reader>,
}

impl Lease<'_> {
    /// The connection, opened now if none was idle.
    fn reader(&mut self) -> Result<&mut Reader, QueryError> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => open_reader(&self.owner.path)?,
        };
        Ok(self.reader.insert(reader))
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let reader = self.reader.take();
        let mut pool = self.owner.pool.lock();
        pool.open = pool.open.saturating_sub(1);
        if let Some(reader) = reader
            && pool.idle.len() < MAX_IDLE
        {
            pool.idle.push(reader);
        }
        drop(pool);
        self.owner.freed.notify_one();
    }
}

/// Why [`run`] stopped early.
enum Stop {
    Limit(QueryError),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<QueryError> for Stop {
    fn from(error: QueryError) -> Self {
        Self::Limit(error)
    }
}

fn attempt(
    lease: &mut Lease<'_>,
    running: &Running,
    sql: &str,
    parameters: &[SqlValue],
    limits: &QueryLimits,
) -> Result<Rows, QueryError> {
    let reader = lease.reader()?;
    running.runs_on(&reader.connection);
    reader.clock.set(limits.deadline, Arc::clone(&limits.cancel));
    reader.clock.give_way(Arc::clone(running.told()));
    reader.functions.start();
    let result = run(&reader.connection, sql, parameters, limits).map_err(|error| match error {
        Stop::Sqlite(_) if reader.functions.exceeded() => {
            QueryError::TooManyFunctions { limit: MAX_FUNCTION_USES }
        }
        Stop::Sqlite(error) => explain(&error, &reader.clock),
        Stop::Limit(error) => error,
    });
    reader.clock.clear();
    result
}

fn run(
    connection: &Connection,
    sql: &str,
    parameters: &[SqlValue],
    limits: &QueryLimits,
) -> Result<Rows, Stop> {
    let mut statement = prepare_only_statement(connection, sql)?;
    // EXPLAIN shows the program of a query; EXPLAIN QUERY PLAN, which is 2, is for its author.
    if statement.column_count() == 0 || !statement.readonly() || statement.is_explain() == 1 {
        let message = "only a SELECT is allowed".to_owned();
        return Err(QueryError::ReadOnly { message }.into());
    }
    let expected = statement.parameter_count();
    if expected != parameters.len() {
        return Err(QueryError::Parameters { expected, found: parameters.len() }.into());
    }
    for (position, value) in parameters.iter().enumerate() {
        statement.raw_bind_parameter(position + 1, value)?;
    }
    collect(&mut statement, limits)
}

/// Prepares the one statement in `sql`. `Connection::prepare` is not used: it looks for a second
/// statement by calling itself for each, which overflows the stack on a few thousand of them.
fn prepare_only_statement<'c>(connection: &'c Connection, sql: &str) -> Result<Statement<'c>, Stop> {
    let mut batch = Batch::new(connection, sql);
    let Some(statement) = batch.next()? else { return Err(QueryError::Empty.into()) };
    match batch.next() {
        Ok(None) => Ok(statement),
        Err(error) if is_out_of_memory(&error) => Err(error.into()),
        Ok(Some(_)) | Err(_) => Err(QueryError::ManyStatements.into()),
    }
}

fn collect(statement: &mut Statement<'_>, limits: &QueryLimits) -> Result<Rows, Stop> {
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    // What each row costs as a JSON object besides its values: names, quotes, colons, commas, braces.
    let names_bytes: usize = 3 + columns.iter().map(|name| name.len() + 4).sum::<usize>();
    let mut result = Rows { columns, rows: Vec::new(), truncated: false };
    let mut bytes = 2;
    let mut cursor = statement.raw_query();
    while let Some(row) = cursor.next()? {
        if result.rows.len() >= limits.max_rows {
            result.truncated = true;
            break;
        }
        bytes += names_bytes;
        for column in 0..result.columns.len() {
            bytes += json_bytes(row.get_ref(column)?);
        }
        if bytes > limits.max_bytes {
            return Err(QueryError::TooManyBytes { limit: limits.max_bytes }.into());
        }
        let values = (0..result.columns.len())
            .map(|column| row.get_ref(column).map(SqlValue::from_sqlite))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        result.rows.push(values);
    }
    Ok(result)
}

fn explain(error: &rusqlite::Error, clock: &QueryClock) -> QueryError {
    let message = sqlite_message(error);
    match error.sqlite_error_code() {
        // A function that stops by itself reports an ordinary error, so the clock is asked first.
        _ if clock.cancelled() => QueryError::Cancelled,
        // So is who else wants it to end. SQLite has no memory for its own words either then.
        _ if clock.gave_way() => QueryError::TooMuchMemory,
        Some(ErrorCode::OutOfMemory) => QueryError::TooMuchMemory,
        Some(ErrorCode::OperationInterrupted) => QueryError::Deadline,
        Some(ErrorCode::Unknown) if clock.stopped() => QueryError::Deadline,
        Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly) => {
            QueryError::ReadOnly { message }
        }
        _ if message.starts_with("not authorized") => QueryError::ReadOnly { message },
        _ => QueryError::Sqlite { message },
    }
}

fn open_reader(path: &Path) -> Result<Reader, QueryError> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) | Err(_) => return Err(QueryError::NoDatabase),
    }
    configure(path).map_err(|error| match error {
        error if is_out_of_memory(&error) => QueryError::TooMuchMemory,
        error => QueryError::Sqlite { message: sqlite_message(&error) },
    })
}

fn configure(path: &Path) -> rusqlite::Result<Reader> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // A reader in WAL mode waits only for a recovery or the end of a checkpoint.
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "query_only", true)?;
    // Sorting in memory, where the heap limit holds, and not in files, which nothing limits.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    limit_process_heap(&connection)?;
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES as i32),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 500),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 4096),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, MAX_FUNCTION_ARGUMENTS),
        (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    let clock = QueryClock::default();
    bound_builtin_functions(&connection, &clock)?;
    let watched = clock.clone();
    connection.progress_handler(INSTRUCTIONS_PER_CHECK, Some(move || watched.stopped()))?;
    let functions = FunctionCount::default();
    let counted = functions.clone();
    connection.authorizer(Some(move |context: AuthContext<'_>| authorize(&context, &counted)))?;
    Ok(Reader { connection, clock, functions })
}

fn authorize(context: &AuthContext<'_>, functions: &FunctionCount) -> Authorization {
    match context.action {
        // A virtual table of SQLite's own: how the file is laid out is nothing for scripts.
        AuthAction::Read { table_name, .. } if table_name.eq_ignore_ascii_case("dbstat") => {
            Authorization::Deny
        }
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if functions.admit(function_name) => Authorization::Allow,
        _ => Authorization::Deny,
    }
}
