//! What one invocation may use, for its natives.

use std::cell::Cell;
use std::sync::Arc;

use crate::script::Caller;
#[cfg(feature = "http")]
use crate::script::http::HttpClient;
use crate::script::kv_store::KvSession;
use crate::script::log_text::LineBudget;
use crate::script::name::ScriptName;
use crate::script::places::Place;
#[cfg(feature = "db")]
use crate::script::queries::Queries;
use crate::vm::call::Host;

use super::log;

/// The surroundings of one invocation. Built by the engine, moved to a worker, dropped with it.
pub(crate) struct Invocation {
    /// The script that runs.
    pub(crate) script: ScriptName,
    /// Names the invocation in the owner's log and in an error shown to a visitor.
    pub(crate) reference: String,
    /// Who calls.
    pub(crate) caller: Caller,
    /// The peer that the script belongs to.
    pub(crate) own: Caller,
    /// The names that `goop.commands()` gives.
    pub(crate) commands: Arc<Vec<String>>,
    /// This invocation's use of the script's store, unless the owner switched it off.
    pub(crate) kv: Option<Arc<KvSession>>,
    /// The peer's database, for data functions.
    #[cfg(feature = "db")]
    pub(crate) queries: Option<Queries>,
    /// The HTTP client, unless the owner switched it off.
    #[cfg(feature = "http")]
    pub(crate) http: Option<HttpClient>,
    /// HTTP requests begun so far.
    pub(crate) http_requests: Cell<u32>,
    /// The place among all invocations; none offline. Held for as long as the invocation lives.
    pub(crate) place: Option<Arc<Place>>,
    /// Lines logged so far.
    pub(crate) logged: Cell<usize>,
    /// The lines that the script may still log, in all its invocations.
    pub(crate) lines: Arc<LineBudget>,
}

impl Host for Invocation {
    fn print(&self, line: &[u8]) {
        log::write(self, log::Level::Info, line);
    }
}
