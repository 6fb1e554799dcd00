//! Who may query the peer's database when: no script's slow queries keep other scripts waiting.
//!
//! A query holds a thread until it ends, up to the script's deadline, and a visitor can call a slow
//! data function as often as the rate limits let them. So [`MAX_RUNNING`] queries run at a time, of which
//! each script has its share; the others wait their turn without a thread, until their deadline.

use std::path::Path;
use std::sync::Arc;

use crate::script::name::ScriptName;
use crate::script::shares::{Alone, NoShare, Shares};
use crate::store::{QueryError, QueryLimits, ReadOnly, Rows, SqlValue};

/// How many queries of all scripts run at once: fewer than the threads that one worker has for work
/// that blocks, so that `goop.kv` always finds one, and than the connections that are opened.
const MAX_RUNNING: usize = 12;

/// The peer's database, shared by all its scripts.
#[derive(Clone)]
pub(crate) struct Queries {
    database: Arc<ReadOnly>,
    turns: Arc<Shares>,
}

impl Queries {
    /// The database of the peer folder. No file is touched before the first query.
    pub(crate) fn new(peer_dir: &Path) -> Self {
        let database = Arc::new(ReadOnly::open(peer_dir));
        Self { database, turns: Shares::new(MAX_RUNNING, Alone::AQuarter) }
    }

    /// Runs a query of `script` when it is its turn. Dropping the future gives up the turn; a query that
    /// runs keeps its own until it has seen the cancel flag.
    pub(crate) async fn query(
        &self,
        script: &ScriptName,
        sql: String,
        parameters: Vec<SqlValue>,
        limits: QueryLimits,
    ) -> Result<Rows, QueryError> {
        // The turns are never closed.
        let turn = self.turns.take(script).await.map_err(|NoShare| QueryError::Cancelled)?;
        let database = self.database.clone();
        let query = move || {
            let _turn = turn;
            database.query(&sql, &parameters, &limits)
        };
        match tokio::task::spawn_blocking(query).await {
            Ok(result) => result,
            Err(error) => Err(QueryError::Sqlite { message: error.to_string() }),
        }
    }
}
