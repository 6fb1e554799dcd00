//! TEMPORARY SKELETON: signatures only, so that the layers above can be written against them.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::config::LuaConfig;
use crate::script::{Caller, DirectSender};

/// Runs the scripts of one peer.
pub struct Engine(());

/// What a visitor learns of a data function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionInfo {
    /// The name to call it by.
    pub name: String,
    /// The script's own description, or empty.
    pub description: String,
}

/// What the engine tells its owner about the script folder.
#[derive(Debug, Clone)]
pub enum ScriptEvent {
    /// A script was loaded or replaced.
    Loaded {
        /** The script. */
        name: String,
    },
    /// A script is gone.
    Removed {
        /** The script. */
        name: String,
    },
    /// A script can't be loaded; the last good version, if any, stays.
    Rejected {
        /** The script. */
        name: String,
        /** file:line: message */
        problem: String,
    },
}

/// Why an engine can't be made.
#[derive(Debug, thiserror::Error)]
#[error("engine")]
pub struct EngineError;

/// Why a data function gave no result. `Display` is what the visitor may read.
#[derive(Debug, thiserror::Error)]
#[error("call")]
pub struct CallError;

impl Engine {
    /// Loads every script of the peer folder and starts watching. Needs a tokio runtime.
    pub async fn start(_config: &LuaConfig, _peer_dir: &Path, _own: Caller) -> Result<Self, EngineError> {
        Err(EngineError)
    }
    /// Answers a direct message if it is a command; replies go out through `sender`.
    pub async fn dispatch(&self, _caller: &Caller, _text: &str, _sender: &dyn DirectSender) {}
    /// Calls a data function.
    pub async fn call(&self, _caller: &Caller, _function: &str, _params: Value) -> Result<Value, CallError> {
        Err(CallError)
    }
    /// The names of all chat commands, sorted.
    pub fn commands(&self) -> Vec<String> {
        Vec::new()
    }
    /// All data functions, sorted by name.
    pub fn functions(&self) -> Vec<FunctionInfo> {
        Vec::new()
    }
    /// What happens in the script folder from now on.
    pub fn events(&self) -> tokio::sync::broadcast::Receiver<ScriptEvent> {
        tokio::sync::broadcast::channel(1).1
    }
    /// Stops watching and waits for running scripts to end.
    pub async fn close(&self) {}
}
