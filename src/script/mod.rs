//! The script engine: chat commands and data functions, run in the sandbox of [`crate::vm`].

mod api;
mod caller;
mod engine;
mod header;
#[cfg(feature = "http")]
mod http;
mod kv_store;
mod name;
mod offline;
mod places;
mod rate_limit;
mod registry;
mod replies;
mod watch;
mod workers;

pub use caller::{Caller, DirectSender, SendError, SendFuture};
pub use engine::{Engine, EngineError, FunctionInfo};
pub use header::Header;
#[cfg(feature = "http")]
pub use http::{HttpClient, Network};
pub use kv_store::{KvError, KvStore, MAX_BYTES as MAX_KV_BYTES, MAX_KEYS as MAX_KV_KEYS};
pub use name::{MAX_SCRIPT_NAME_CHARS, ScriptName};
pub use offline::{Runner, RunnerError, Surroundings};
pub use registry::ScriptEvent;
pub use replies::{CallError, reply as reply_text};
