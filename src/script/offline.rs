//! Runs one script as the engine would, without an engine: for `goop2 run`, tests and benches.
//!
//! The VM, the API and the limits are the engine's own; what is missing is what lies between
//! a stranger and the script: the registry, the rate limits and the worker threads.

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::task::LocalSet;

use crate::script::Caller;
use crate::script::api::Invocation;
#[cfg(feature = "http")]
use crate::script::http::HttpClient;
use crate::script::kv_store::KvStore;
use crate::script::name::{SCRIPT_FILE_RULE, ScriptName};
#[cfg(feature = "db")]
use crate::script::queries::Queries;
use crate::script::registry::{Script, load};
use crate::script::workers::{Finished, Job, run_job};
use crate::vm::{Entries, Entry, Limits, LoadError, Outcome, RunError, Stats};

/// The jobs of a runner's thread: it waits for the one it has.
static ALONE: AtomicUsize = AtomicUsize::new(1);

/// Where a script runs offline.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Who calls.
    pub caller: Caller,
    /// The peer that the script belongs to.
    pub own: Caller,
    /// The peer folder whose database the script may read; without, it is a peer that has no database yet.
    pub peer_dir: Option<PathBuf>,
    /// The script folder whose KV stores are used; a temporary one without.
    pub script_dir: Option<PathBuf>,
    /// Whether scripts have `goop.kv`.
    pub kv_enabled: bool,
    /// What `goop.commands()` gives.
    pub commands: Vec<String>,
    /// What `goop.http` uses; scripts have no `goop.http` without.
    #[cfg(feature = "http")]
    pub http: Option<HttpClient>,
    /// What each invocation may use.
    pub limits: Limits,
}

/// One loaded script and the place to run it. Blocks the calling thread.
pub struct Runner {
    script: Arc<Script>,
    surroundings: Surroundings,
    kv: Arc<KvStore>,
    #[cfg(feature = "db")]
    queries: Queries,
    runtime: tokio::runtime::Runtime,
    tasks: LocalSet,
    // Deletes the folder when dropped.
    _temporary: Option<tempfile::TempDir>,
}

/// Why a script can't be run offline.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The file is not named as a script.
    #[error("{}: {SCRIPT_FILE_RULE}", .path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// The script does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The runtime or the temporary folder can't be had.
    #[error("the script can't be run: {0}")]
    Io(#[from] io::Error),
}

impl Runner {
    /// Loads the script `source` of the file `path`.
    ///
    /// # Errors
    /// When the file's name is no script's, the script does not load, or the system gives no
    /// runtime or temporary folder.
    pub fn load(path: &Path, source: &[u8], surroundings: Surroundings) -> Result<Self, RunnerError> {
        let name = ScriptName::of_file(path).ok_or_else(|| RunnerError::Name { path: path.to_owned() })?;
        let script = Arc::new(load(&name, source, true)?);
        let temporary = match (&surroundings.script_dir, &surroundings.peer_dir) {
            (Some(_), Some(_)) => None,
            _ => Some(tempfile::tempdir()?),
        };
        let in_place = temporary.as_ref().map_or(path, tempfile::TempDir::path);
        Ok(Self {
            kv: Arc::new(KvStore::new(surroundings.script_dir.as_deref().unwrap_or(in_place), &name)),
            #[cfg(feature = "db")]
            queries: Queries::new(surroundings.peer_dir.as_deref().unwrap_or(in_place)),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            tasks: LocalSet::new(),
            _temporary: temporary,
            script,
            surroundings,
        })
    }

    /// Makes errors have a whole traceback, for which calls of small functions take up to a third longer.
    #[must_use]
    pub fn traced(self) -> Self {
        self.script.trace();
        self
    }

    /// The entry points that the script defines.
    pub fn entries(&self) -> Entries {
        self.script.program().entries()
    }

    /// Runs the script once, in a fresh VM, to its end.
    pub fn run(&self, entry: Entry) -> (Result<Outcome, RunError>, Stats) {
        let job = Job {
            script: self.script.clone(),
            limits: self.surroundings.limits,
            invocation: self.invocation(matches!(entry, Entry::Call(_))),
            entry,
        };
        let Finished { result, stats } = self.tasks.block_on(&self.runtime, run_job(job, &ALONE));
        (result, stats)
    }

    fn invocation(&self, is_function: bool) -> Invocation {
        #[cfg(not(feature = "db"))]
        let _ = is_function;
        Invocation {
            script: self.script.name.clone(),
            reference: "offline".to_owned(),
            caller: self.surroundings.caller.clone(),
            own: self.surroundings.own.clone(),
            commands: Arc::new(self.surroundings.commands.clone()),
            kv: self.surroundings.kv_enabled.then(|| Arc::new(self.kv.clone().session())),
            #[cfg(feature = "db")]
            queries: is_function.then(|| self.queries.clone()),
            #[cfg(feature = "http")]
            http: self.surroundings.http.clone(),
            http_requests: Cell::new(0),
            place: None,
            logged: Cell::new(0),
            // A new one each time: what the owner runs by hand is not cut short.
            lines: Arc::default(),
        }
    }
}
