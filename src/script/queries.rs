//! Who may query the peer's database when: no script's slow queries keep other scripts waiting.
//!
//! A query holds a thread until it ends, up to the script's deadline, and a visitor can call a slow
//! data function as often as the rate limits let them. So each script has [`MAX_OF_SCRIPT`] queries
//! running at a time and all scripts [`MAX_RUNNING`]; the others wait their turn without a thread,
//! until their deadline. One queue for all was rejected: a few runaway queries would fill it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{AcquireError, Semaphore};

use crate::script::name::ScriptName;
use crate::script::script_files::MAX_SCRIPTS;
use crate::store::{QueryError, QueryLimits, ReadOnly, Rows, SqlValue};

/// How many queries of one script run at once.
const MAX_OF_SCRIPT: usize = 2;

/// How many queries of all scripts run at once: fewer than the threads that one worker has for work
/// that blocks, so that `goop.kv` always finds one, and than the connections that are opened.
const MAX_RUNNING: usize = 12;

/// The peer's database, shared by all its scripts.
pub(crate) struct Queries {
    database: Arc<ReadOnly>,
    all: Arc<Semaphore>,
    of_script: Mutex<HashMap<ScriptName, Arc<Semaphore>>>,
}

/// The database as one script has it.
pub(crate) struct ScriptQueries {
    database: Arc<ReadOnly>,
    all: Arc<Semaphore>,
    own: Arc<Semaphore>,
}

impl Queries {
    /// The database of the peer folder. No file is touched before the first query.
    pub(crate) fn new(peer_dir: &Path) -> Self {
        Self {
            database: Arc::new(ReadOnly::open(peer_dir)),
            all: Arc::new(Semaphore::new(MAX_RUNNING)),
            of_script: Mutex::default(),
        }
    }

    /// What the script `name` uses; the same turns for all its invocations.
    pub(crate) fn of(&self, name: &ScriptName) -> Arc<ScriptQueries> {
        let mut of_script = self.of_script.lock();
        if of_script.len() > 2 * MAX_SCRIPTS {
            // Most are of scripts that are gone. Who runs a query or waits for a turn holds its own.
            of_script.retain(|_, own| Arc::strong_count(own) > 1);
        }
        let own = of_script.entry(name.clone()).or_insert_with(|| Arc::new(Semaphore::new(MAX_OF_SCRIPT)));
        Arc::new(ScriptQueries { database: self.database.clone(), all: self.all.clone(), own: own.clone() })
    }
}

impl ScriptQueries {
    /// Runs a query when it is its turn. Dropping the future gives up the turn; a query that runs
    /// keeps its own until it has seen the cancel flag.
    pub(crate) async fn query(
        &self,
        sql: String,
        parameters: Vec<SqlValue>,
        limits: QueryLimits,
    ) -> Result<Rows, QueryError> {
        // The script's own turn first, so that a script that waits for it holds no other.
        let own = self.own.clone().acquire_owned().await.map_err(closed)?;
        let all = self.all.clone().acquire_owned().await.map_err(closed)?;
        let database = self.database.clone();
        let query = move || {
            let _turns = (own, all);
            database.query(&sql, &parameters, &limits)
        };
        match tokio::task::spawn_blocking(query).await {
            Ok(result) => result,
            Err(error) => Err(QueryError::Sqlite { message: error.to_string() }),
        }
    }
}

/// The turns are never closed.
fn closed(_: AcquireError) -> QueryError {
    QueryError::Cancelled
}
