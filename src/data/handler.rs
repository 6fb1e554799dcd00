//! One request in, one answer out: who may do what.

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::{Answer, line};
use super::query::{self, QueryFailure, View};
use super::request::{Request, SchemaRequest};
use super::turns::Turns;
use super::visitor::{Visitors, WriteRefused};
use crate::config::DataConfig;
use crate::peer_id::PeerId;
use crate::script::{Caller, Engine};
use crate::store::{ColumnName, Database, Policy, Quota, RowScope, SqlValue, Stamp, StoreError, TableName};

/// The longest request line in bytes.
pub const MAX_REQUEST_BYTES: usize = 1024 * 1024;

/// The largest value that a visitor may store, in bytes. The owner's is bounded by the line.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// What peers say of themselves in their presence, as far as table policies need it.
pub trait EmailDirectory: Send + Sync {
    /// The e-mail in the last presence message that `peer` itself signed, if it has one.
    fn email_of(&self, peer: &PeerId) -> Option<String>;
}

/// Nobody has an e-mail: the directory of a handler that was given none.
struct NoEmails;

impl EmailDirectory for NoEmails {
    fn email_of(&self, _: &PeerId) -> Option<String> {
        None
    }
}

/// Answers the requests of `/goop/data/1.0.0`.
pub struct Handler {
    database: Option<Arc<Database>>,
    engine: Option<Arc<Engine>>,
    owner: PeerId,
    emails: Arc<dyn EmailDirectory>,
    turns: Turns,
    visitors: Visitors,
}

/// Whether an answer says that the peer is busy, for whoever carries answers and knows only their bytes.
pub(crate) fn is_busy(answer: &[u8]) -> bool {
    // In the words of this layer or of the engine, which differ in one letter's case.
    let busy = br#"{"ok":false,"error":"busy"#;
    answer.get(..busy.len()).is_some_and(|start| start.eq_ignore_ascii_case(busy))
}

/// Why a request is refused. The text is the answer's `error`.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("this peer has no database")]
    NoDatabase,
    #[error("Lua scripting is disabled on this peer")]
    LuaDisabled,
    #[error("busy: too many requests at once, try again later")]
    Busy,
    #[error("{op} is for the owner of this peer only")]
    OwnerOnly { op: &'static str },
    #[error("table {table} takes rows from its owner only")]
    OwnerInserts { table: TableName },
    #[error("table {table} takes rows from peers with an e-mail in their profile only")]
    EmailInserts { table: TableName },
    #[error("column {column} numbers the rows of {table}: the host chooses it")]
    RowNumber { table: TableName, column: ColumnName },
    #[error("field data.{column}: a value has at most {MAX_VALUE_BYTES} bytes, found {found}")]
    ValueTooLong { column: ColumnName, found: usize },
    #[error(transparent)]
    TooOften(#[from] WriteRefused),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Query(#[from] QueryFailure),
    #[error("internal error: the peer's owner finds it in the log")]
    Internal,
}

/// Who asks, as far as rights go.
enum Asker {
    Owner(Stamp),
    Visitor(Stamp, Quota),
}

impl Handler {
    /// A handler for the peer `owner`. Without a database or an engine, what needs them is refused
    /// with an error that says so.
    pub fn new(database: Option<Arc<Database>>, engine: Option<Arc<Engine>>, owner: PeerId) -> Self {
        let visitors = Visitors::new(&DataConfig::default());
        Self { database, engine, owner, emails: Arc::new(NoEmails), turns: Turns::new(), visitors }
    }

    /// Lets visitors keep what `config` says; without this, what its defaults say.
    #[must_use]
    pub fn with_config(mut self, config: &DataConfig) -> Self {
        self.visitors = Visitors::new(config);
        self
    }

    /// Looks e-mails up in `emails`; without this, nobody passes the policy `email`.
    #[must_use]
    pub fn with_emails(mut self, emails: Arc<dyn EmailDirectory>) -> Self {
        self.emails = emails;
        self
    }

    /// Answers one request line of the authenticated `caller` with one line; nobody else comes from
    /// where this caller does.
    ///
    /// As [`Handler::respond_from`] in all else.
    pub async fn respond(&self, caller: &Caller, request: &[u8]) -> Vec<u8> {
        self.respond_from(caller, caller.peer.as_str(), request).await
    }

    /// Answers one request line of the authenticated `caller` with one line. `origin` is where the
    /// caller comes from, in any words that are the same for all who come from there: its share of
    /// the database is for all of them together.
    ///
    /// Needs a tokio runtime. What goes wrong is in the answer; dropping the future leaves a
    /// database operation that has begun to end by itself within its time limit.
    pub async fn respond_from(&self, caller: &Caller, origin: &str, request: &[u8]) -> Vec<u8> {
        if request.len() > MAX_REQUEST_BYTES {
            let found = request.len();
            return line(Err(format!("the request is {found} bytes long, the limit is {MAX_REQUEST_BYTES}")));
        }
        match Request::parse(request) {
            Ok(Request::LuaCall { function, params }) => line(self.lua_call(caller, &function, params).await),
            Ok(Request::LuaList) => line(self.lua_list().map_err(|error| error.to_string())),
            Ok(request) => {
                line(self.on_database(caller, origin, request).await.map_err(|error| error.to_string()))
            }
            Err(error) => line(Err(error.to_string())),
        }
    }

    async fn lua_call(&self, caller: &Caller, function: &str, params: Value) -> Result<Answer, String> {
        let Some(engine) = &self.engine else { return Err(Refusal::LuaDisabled.to_string()) };
        engine.call(caller, function, params).await.map(Answer::result).map_err(|error| error.to_string())
    }

    fn lua_list(&self) -> Result<Answer, Refusal> {
        let Some(engine) = &self.engine else { return Err(Refusal::LuaDisabled) };
        Ok(Answer::functions(json!(engine.functions())))
    }

    async fn on_database(&self, caller: &Caller, origin: &str, request: Request) -> Result<Answer, Refusal> {
        let Some(database) = self.database.clone() else { return Err(Refusal::NoDatabase) };
        let Some(turn) = self.turns.take(&caller.peer, origin).await else { return Err(Refusal::Busy) };
        let stamp = Stamp { owner: caller.peer.clone(), email: self.emails.email_of(&caller.peer) };
        let asker = if caller.peer == self.owner {
            Asker::Owner(stamp)
        } else {
            if request.is_write() {
                self.visitors.admit_write(&caller.peer)?;
            }
            Asker::Visitor(stamp, self.visitors.quota())
        };
        let task = tokio::task::spawn_blocking(move || {
            let answer = run(&database, &asker, request);
            drop(turn);
            answer
        });
        match task.await {
            Ok(answer) => answer.map(Answer::data),
            Err(error) => {
                tracing::error!(%error, peer = %caller.peer, "a data request failed");
                Err(Refusal::Internal)
            }
        }
    }
}

fn run(database: &Database, asker: &Asker, request: Request) -> Result<Value, Refusal> {
    match request {
        Request::Tables => Ok(json!(database.tables()?)),
        Request::Describe { table } => Ok(json!(database.describe(&table)?)),
        Request::Query(request) => {
            let view = match asker {
                Asker::Owner(_) => View::Everything,
                Asker::Visitor(stamp, _) if database.policy(&request.table)?.visitor_reads_all() => {
                    View::AllRows { visitor: &stamp.owner }
                }
                Asker::Visitor(stamp, _) => View::OwnRows { visitor: &stamp.owner },
            };
            Ok(query::run(database, request, view)?)
        }
        Request::Insert { table, row } => insert(database, asker, &table, &row),
        Request::Update { table, id, row } => {
            check_row(database, asker, &table, &row)?;
            database.update(&table, id, &row, &asker.scope())?;
            Ok(json!({ "status": "updated" }))
        }
        Request::Delete { table, id } => {
            database.delete(&table, id, &asker.scope())?;
            Ok(json!({ "status": "deleted" }))
        }
        Request::Schema(request) => change_schema(database, asker, request),
        // Answered before the database is asked for.
        Request::LuaCall { .. } | Request::LuaList => Err(Refusal::LuaDisabled),
    }
}

impl Asker {
    fn scope(&self) -> RowScope {
        match self {
            Self::Owner(_) => RowScope::Any,
            Self::Visitor(stamp, quota) => RowScope::OwnedBy(stamp.owner.clone(), *quota),
        }
    }
}

fn insert(
    database: &Database,
    asker: &Asker,
    table: &TableName,
    row: &[(ColumnName, SqlValue)],
) -> Result<Value, Refusal> {
    let policy = database.policy(table)?;
    let (stamp, quota) = match asker {
        Asker::Owner(stamp) => (stamp, None),
        Asker::Visitor(stamp, quota) if policy.visitor_may_insert(stamp.email.is_some()) => {
            (stamp, Some(quota))
        }
        Asker::Visitor(..) => {
            let table = table.clone();
            return Err(match policy {
                Policy::Email => Refusal::EmailInserts { table },
                _ => Refusal::OwnerInserts { table },
            });
        }
    };
    check_row(database, asker, table, row)?;
    let id = database.insert(table, row, stamp, quota)?;
    Ok(json!({ "status": "inserted", "id": id }))
}

/// Checks what a visitor may not do and the owner may.
fn check_row(
    database: &Database,
    asker: &Asker,
    table: &TableName,
    row: &[(ColumnName, SqlValue)],
) -> Result<(), Refusal> {
    let Asker::Visitor(..) = asker else { return Ok(()) };
    // A template may number rows by a column of its own. With the largest number taken, SQLite has
    // none left for anyone.
    let columns = database.describe(table)?;
    let is_number = |name: &ColumnName| {
        columns.iter().any(|column| {
            column.pk
                // What starts so is refused for everyone, with the reason.
                && !column.name.starts_with('_')
                && column.column_type.eq_ignore_ascii_case("INTEGER")
                && column.name.eq_ignore_ascii_case(name.as_str())
        })
    };
    if let Some((column, _)) = row.iter().find(|(column, _)| is_number(column)) {
        return Err(Refusal::RowNumber { table: table.clone(), column: column.clone() });
    }
    match row.iter().find(|(_, value)| value.len_bytes() > MAX_VALUE_BYTES) {
        Some((column, value)) => {
            Err(Refusal::ValueTooLong { column: column.clone(), found: value.len_bytes() })
        }
        None => Ok(()),
    }
}

fn change_schema(database: &Database, asker: &Asker, request: SchemaRequest) -> Result<Value, Refusal> {
    if let Asker::Visitor(..) = asker {
        return Err(Refusal::OwnerOnly { op: op_name(&request) });
    }
    let (status, table) = match request {
        SchemaRequest::CreateTable { table, columns, policy } => {
            database.create_table(&table, &columns, policy)?;
            ("created", table)
        }
        SchemaRequest::AddColumn { table, column } => {
            database.add_column(&table, &column)?;
            ("column added", table)
        }
        SchemaRequest::DropColumn { table, column } => {
            database.drop_column(&table, &column)?;
            ("column dropped", table)
        }
        SchemaRequest::RenameTable { old, new } => {
            database.rename_table(&old, &new)?;
            ("renamed", new)
        }
        SchemaRequest::DeleteTable { table } => {
            database.delete_table(&table)?;
            ("deleted", table)
        }
    };
    Ok(json!({ "status": status, "table": table.as_str() }))
}

fn op_name(request: &SchemaRequest) -> &'static str {
    match request {
        SchemaRequest::CreateTable { .. } => "create-table",
        SchemaRequest::AddColumn { .. } => "add-column",
        SchemaRequest::DropColumn { .. } => "drop-column",
        SchemaRequest::RenameTable { .. } => "rename-table",
        SchemaRequest::DeleteTable { .. } => "delete-table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::CallError;

    #[test]
    fn an_answer_that_says_busy_is_known_by_its_bytes() {
        for busy in [Refusal::Busy.to_string(), CallError::Busy.to_string()] {
            assert!(is_busy(&line(Err(busy))));
        }
        assert!(!is_busy(&line(Err(Refusal::NoDatabase.to_string()))));
        assert!(!is_busy(b"{}"));
    }
}
