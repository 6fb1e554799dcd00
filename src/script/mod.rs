//! The script engine: chat commands and data functions, run in the sandbox of [`crate::vm`].

mod caller;
mod engine;

pub use caller::{Caller, DirectSender, SendError, SendFuture};
pub use engine::{CallError, Engine, EngineError, FunctionInfo, ScriptEvent};
