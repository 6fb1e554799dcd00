//! The engine: finds the script that a stranger asks for, and runs it.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value as Json;
use tokio::sync::{broadcast, oneshot};
use tokio::time::Instant;

use crate::config::LuaConfig;
use crate::printable::is_unseen;
use crate::script::api::Invocation;
use crate::script::counters::{Counters, InvocationReport, LastError, REPORT_BACKLOG, Reports, ScriptStats};
#[cfg(feature = "http")]
use crate::script::http::HttpClient;
use crate::script::listing::{self, FunctionInfo};
use crate::script::log_text::LineBudget;
use crate::script::name::ScriptName;
use crate::script::options::EngineOptions;
use crate::script::places::Busy;
#[cfg(feature = "db")]
use crate::script::queries::Queries;
use crate::script::rate_limit::{RateLimited, RateLimiter};
use crate::script::registry::{Doubt, Registry, Script, ScriptEvent};
use crate::script::replies::{self, CallError};
use crate::script::script_files::MAX_SCRIPTS;
use crate::script::stores::Stores;
use crate::script::watch::ScriptWatch;
use crate::script::workers::{Finished, Job, Workers};
use crate::script::{Caller, DirectSender};
use crate::vm::{Entry, Limits, Outcome, RunError};

/// Events kept for a listener that does not keep up: all scripts may change at once.
const EVENT_BACKLOG: usize = 2 * MAX_SCRIPTS;

/// Runs the scripts of one peer: loads them, watches them, answers for them.
///
/// Cheap to share behind an `Arc`; all methods take `&self`. `examples/embed.rs` shows all of it. The engine
/// brings its own threads and timers: its futures can be awaited on any executor, tokio's or another.
pub struct Engine {
    registry: Arc<Registry>,
    script_dir: PathBuf,
    own: Caller,
    config: LuaConfig,
    limiter: RateLimiter,
    workers: Workers,
    stores: Arc<Stores>,
    line_budgets: Mutex<HashMap<ScriptName, Arc<LineBudget>>>,
    #[cfg(feature = "db")]
    queries: Queries,
    counters: Arc<Counters>,
    reports: Reports,
    #[cfg(feature = "http")]
    http: HttpClient,
    events: broadcast::Sender<ScriptEvent>,
    watch: Mutex<Option<ScriptWatch>>,
    first_load: Vec<ScriptEvent>,
    references: RandomState,
}

/// Why an engine can't be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The script folder can't be made or read.
    #[error("the script folder {} can't be used: {source}", .dir.display())]
    ScriptDir {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The worker threads can't be started.
    #[error("the script workers can't be started: {0}")]
    Workers(std::io::Error),
}

impl Engine {
    /// Loads every script of the peer folder and starts watching them, with the options of a peer.
    ///
    /// `own` is the peer that the scripts belong to. Whether scripts are enabled at all is the
    /// caller's question to [`LuaConfig::enabled`]. Blocks while the scripts are compiled, some
    /// milliseconds each.
    ///
    /// # Errors
    /// When the script folder or the worker threads can't be had. A script that does not load is
    /// no error: it is reported by [`Engine::first_load`] and in the log.
    pub fn new(config: LuaConfig, peer_dir: &Path, own: Caller) -> Result<Self, EngineError> {
        Self::with_options(config, peer_dir, own, EngineOptions::default())
    }

    /// [`Engine::new`] with options.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn with_options(
        config: LuaConfig,
        peer_dir: &Path,
        own: Caller,
        options: EngineOptions,
    ) -> Result<Self, EngineError> {
        let unusable = |source| EngineError::ScriptDir { dir: peer_dir.join(&config.script_dir), source };
        // As the owner named it: a link in it may lead elsewhere tomorrow.
        let peer_dir = std::path::absolute(peer_dir).map_err(unusable)?;
        let script_dir = peer_dir.join(&config.script_dir);
        fs::create_dir_all(&script_dir).map_err(unusable)?;
        let registry = Arc::new(Registry::new(script_dir.clone()));
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = options.threads.map_or_else(cores, usize::from);
        let workers = Workers::start(threads, config.max_running, config.max_waiting);
        let mut engine = Self {
            limiter: RateLimiter::new(config.rate_limit_per_peer, config.rate_limit_global),
            workers: workers.map_err(EngineError::Workers)?,
            stores: Arc::new(Stores::new(script_dir.clone())),
            line_budgets: Mutex::default(),
            #[cfg(feature = "db")]
            queries: Queries::new(&peer_dir),
            counters: Arc::default(),
            reports: broadcast::channel(REPORT_BACKLOG).0,
            #[cfg(feature = "http")]
            http: HttpClient::new(),
            watch: Mutex::new(None),
            first_load: Vec::new(),
            references: RandomState::new(),
            registry,
            script_dir,
            own,
            config,
            events,
        };
        // Nobody is told of the first look by events: none can listen yet.
        engine.first_load = engine.registry.sync(Doubt::Believe).0;
        report(&engine.first_load);
        engine.start_watching(&peer_dir, options);
        Ok(engine)
    }

    /// Lets `goop.http` use `client` from now on; one on the public internet is used otherwise.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn with_http(self, client: HttpClient) -> Self {
        Self { http: client, ..self }
    }

    /// Its first look finds what changed between the load and the watch.
    fn start_watching(&self, peer_dir: &Path, options: EngineOptions) {
        let (registry, events) = (self.registry.clone(), self.events.clone());
        let (counters, stores) = (self.counters.clone(), self.stores.clone());
        let look = move || {
            let (happened, look) = registry.sync(Doubt::Wait);
            report(&happened);
            let loaded = registry.loaded();
            if happened.iter().any(|event| matches!(event, ScriptEvent::Removed { .. })) {
                counters.keep_only(|name| loaded.scripts.contains_key(name));
            }
            // At every look: a store that was still in use when its script went is not any more.
            stores.keep_only(|name| loaded.scripts.contains_key(name));
            for event in happened {
                // Nobody may be listening.
                let _ = events.send(event);
            }
            look
        };
        match ScriptWatch::start(peer_dir, &self.script_dir, options.reload, look) {
            Ok(watch) => *self.watch.lock() = watch,
            Err(error) => tracing::error!(%error, "changed scripts are not seen until the next start"),
        }
    }

    /// Answers a direct message if it is a command; the reply goes out through `sender`.
    ///
    /// A text that does not start with `!` is none, and nothing happens. What the script or the
    /// sender failed at is in the log.
    pub async fn dispatch(&self, caller: &Caller, text: &str, sender: &dyn DirectSender) {
        let Some(command) = text.trim().strip_prefix('!') else { return };
        let (command, args) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let reply = self.answer(caller, command, args).await;
        let Some(reply) = reply else { return };
        if let Err(error) = sender.send_direct(&caller.peer, reply).await {
            tracing::warn!(command = %shown(command), %error, "the reply was not delivered");
        }
    }

    /// The reply to `!command args`, or `None` when the script has none.
    async fn answer(&self, caller: &Caller, command: &str, args: &str) -> Option<String> {
        let script = self.registry.get(command).filter(|script| script.is_command());
        if self.admit(caller, script.as_deref()).is_err() {
            return Some(replies::RATE_LIMITED.to_owned());
        }
        let Some(script) = script else {
            let loaded = self.registry.loaded();
            return Some(match command {
                "help" => listing::help(&loaded, args.trim()),
                _ => listing::unknown_command(&loaded, command),
            });
        };
        match self.run(script, caller, Entry::Handle(args.to_owned())).await {
            Err(Busy) => Some(replies::BUSY.to_owned()),
            Ok((Ok(Outcome::Reply(reply)), _)) => reply.map(|bytes| replies::reply(&bytes)),
            Ok((Ok(_), _)) => None,
            Ok((Err(error), reference)) => Some(replies::failure(&error, &reference)),
        }
    }

    /// Calls the data function `function` with `params`.
    ///
    /// # Errors
    /// Whose text is what the visitor may read; the whole story is in the owner's log.
    pub async fn call(&self, caller: &Caller, function: &str, params: Json) -> Result<Json, CallError> {
        let script = self.registry.get(function).filter(|script| script.is_function());
        self.admit(caller, script.as_deref())
            .map_err(|RateLimited { retry_after }| CallError::RateLimited { retry_after })?;
        let Some(script) = script else {
            return Err(CallError::NotFound { function: shown(function) });
        };
        match self.run(script, caller, Entry::Call(params)).await {
            Err(Busy) => Err(CallError::Busy),
            Ok((Ok(Outcome::Result(result)), _)) => Ok(result),
            Ok((Ok(_), _)) => Ok(Json::Null),
            Ok((Err(error), reference)) => {
                Err(CallError::Script { message: replies::failure(&error, &reference) })
            }
        }
    }

    /// The names of all chat commands, sorted.
    pub fn commands(&self) -> Vec<String> {
        self.registry.loaded().commands.to_vec()
    }

    /// All data functions, sorted by name.
    pub fn functions(&self) -> Vec<FunctionInfo> {
        listing::functions(&self.registry.loaded())
    }

    /// What each script did since the start, by name; those never called are not there.
    pub fn stats(&self) -> Vec<ScriptStats> {
        self.counters.stats()
    }

    /// How each invocation ends from now on. A listener that falls behind misses the oldest.
    pub fn invocations(&self) -> broadcast::Receiver<Arc<InvocationReport>> {
        self.reports.subscribe()
    }

    /// What happened when the scripts were loaded at the start, before anyone could listen.
    pub fn first_load(&self) -> &[ScriptEvent] {
        &self.first_load
    }

    /// What happens in the script folder from now on.
    pub fn events(&self) -> broadcast::Receiver<ScriptEvent> {
        self.events.subscribe()
    }

    /// Stops watching, waits for the scripts under way, each of which has its deadline, and ends
    /// the threads. Calls after this are answered as busy.
    pub async fn close(self: &Arc<Self>) {
        let engine = self.clone();
        let (done, stopped) = oneshot::channel();
        // A thread of its own, because the caller need not have a runtime with threads that may block.
        let thread = std::thread::Builder::new().name("script-stop".to_owned()).spawn(move || {
            let watch = engine.watch.lock().take();
            drop(watch);
            engine.workers.stop();
            // Whoever waited may have gone.
            let _ = done.send(());
        });
        match thread {
            Ok(_) => {
                if stopped.await.is_err() {
                    tracing::error!("the script workers did not stop");
                }
            }
            Err(error) => tracing::error!(%error, "the script workers can't be stopped"),
        }
    }

    fn admit(&self, caller: &Caller, script: Option<&Script>) -> Result<(), RateLimited> {
        let own_limit = script.and_then(|script| script.header.rate_limit.map(|limit| (&script.name, limit)));
        let admitted = self.limiter.admit(&caller.peer, own_limit, Instant::now());
        if admitted.is_err() {
            tracing::debug!(caller = %caller.peer, "rate limited");
            if let Some(script) = script {
                self.counters.rate_limited(&script.name);
            }
        }
        admitted
    }

    /// Runs `script` and gives what it gave, with the reference of the invocation.
    async fn run(
        &self,
        script: Arc<Script>,
        caller: &Caller,
        entry: Entry,
    ) -> Result<(Result<Outcome, RunError>, String), Busy> {
        let reference = self.new_reference();
        let is_function = matches!(entry, Entry::Call(_));
        let invocation = self.invocation(&script, caller, &reference, is_function);
        let limits = Limits { time: self.config.timeout(), memory_bytes: self.config.max_memory_bytes() };
        let name = script.name.clone();
        let job = Job { script, entry, limits, invocation };
        let finished = self.workers.run(job).await;
        let Finished { result, stats } = finished.inspect_err(|Busy| self.counters.busy(&name))?;
        let error = result.as_ref().err().map(|error| LastError::new(error, &reference, &caller.peer));
        if let Some(LastError { kind, message, caller, .. }) = &error {
            let traceback = traceback(&result).map(tracing::field::display);
            tracing::warn!(
                target: "goop2::lua", script = %name, %caller, %reference, kind, traceback, "{message}"
            );
        }
        self.counters.ended(&name, &stats, error.as_ref());
        if self.reports.receiver_count() > 0 {
            let (script, caller, reference) = (name.to_string(), caller.peer.clone(), reference.clone());
            let report = InvocationReport { script, is_function, caller, reference, error, stats };
            // The last listener may have just gone.
            let _ = self.reports.send(Arc::new(report));
        }
        Ok((result, reference))
    }

    fn invocation(&self, script: &Script, caller: &Caller, reference: &str, is_function: bool) -> Invocation {
        #[cfg(not(feature = "db"))]
        let _ = is_function;
        Invocation {
            script: script.name.clone(),
            reference: reference.to_owned(),
            caller: caller.clone(),
            own: self.own.clone(),
            commands: self.registry.loaded().commands.clone(),
            kv: self.config.kv_enabled.then(|| Arc::new(self.stores.session(&script.name))),
            #[cfg(feature = "db")]
            queries: is_function.then(|| self.queries.clone()),
            #[cfg(feature = "http")]
            http: self.config.http_enabled.then(|| self.http.clone()),
            http_requests: Cell::new(0),
            place: None,
            logged: Cell::new(0),
            lines: self.line_budget(&script.name),
        }
    }

    /// The one budget for log lines of a script, shared by all its invocations.
    fn line_budget(&self, name: &ScriptName) -> Arc<LineBudget> {
        let mut budgets = self.line_budgets.lock();
        if budgets.len() > 2 * MAX_SCRIPTS {
            // Most are of scripts that were renamed or deleted.
            budgets.clear();
        }
        budgets.entry(name.clone()).or_default().clone()
    }

    /// Six digits that join what a visitor was told to the owner's log.
    fn new_reference(&self) -> String {
        let now = std::time::Instant::now();
        format!("{:06x}", self.references.hash_one(now) & 0xFF_FFFF)
    }
}

/// A stranger's text, short and printable, for a message.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !is_unseen(*c)).take(crate::script::MAX_SCRIPT_NAME_CHARS).collect()
}

/// Tells the log what happened to scripts. The log's target is one of its own, so that a program which
/// shows the events itself can leave these lines out.
fn report(happened: &[ScriptEvent]) {
    for event in happened {
        match event {
            ScriptEvent::Loaded { name } => {
                tracing::info!(target: "goop2::scripts", script = %name, "script loaded");
            }
            ScriptEvent::Removed { name } => {
                tracing::info!(target: "goop2::scripts", script = %name, "script removed");
            }
            ScriptEvent::Rejected { file, problem } => {
                tracing::error!(target: "goop2::scripts", %file, "script not loaded, the last good version stays: {problem}");
            }
        }
    }
}

/// The functions that an error went through, for one line of the owner's log; `None` when there are none.
fn traceback(result: &Result<Outcome, RunError>) -> Option<String> {
    let frames = result.as_ref().err()?.traceback();
    // Of names that scripts and files can have: there is nothing to escape.
    let frames: Vec<String> = frames.iter().map(ToString::to_string).collect();
    (!frames.is_empty()).then(|| frames.join(" < "))
}
