//! The script engine: chat commands and data functions, run in the sandbox of [`crate::vm`].

mod api;
mod caller;
mod counters;
mod engine;
mod header;
mod histogram;
#[cfg(feature = "http")]
mod http;
mod kv_file;
mod kv_store;
mod listing;
mod log_text;
mod name;
mod offline;
mod options;
mod places;
#[cfg(feature = "db")]
mod queries;
mod rate_limit;
mod registry;
mod replies;
mod script_files;
mod shares;
mod stores;
mod watch;
mod workers;

pub use caller::{Caller, DirectSender, SendError, SendFuture};
pub use counters::{InvocationReport, LastError, ScriptStats};
pub use engine::{Engine, EngineError};
pub use header::{Header, HeaderProblem, Param};
#[cfg(feature = "http")]
pub use http::{HttpClient, Network};
pub use kv_store::{KvError, KvStore, MAX_BYTES as MAX_KV_BYTES, MAX_KEYS as MAX_KV_KEYS};
pub use listing::FunctionInfo;
pub use name::{MAX_SCRIPT_NAME_CHARS, SCRIPT_FILE_RULE, ScriptName};
pub use offline::{Runner, RunnerError, Surroundings};
pub use options::{EngineOptions, Reload};
#[cfg(feature = "peer")]
pub(crate) use rate_limit::RateLimiter;
pub use registry::{ScriptEvent, nobody_can_call};
#[cfg(feature = "peer")]
pub(crate) use replies::BUSY as BUSY_REPLY;
pub use replies::{CallError, reply as reply_text};
pub use script_files::PASSED_OVER;
