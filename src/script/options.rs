//! What an embedder can choose beyond what the owner wrote in `goop.json`.

use std::num::NonZeroUsize;
use std::time::Duration;

/// How an engine runs. The defaults are those of a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// The threads that run scripts; `None` is one for each core. How many scripts are under way at once
    /// does not depend on it: that is `lua.max_running`.
    pub threads: Option<NonZeroUsize>,
    /// How changed scripts are noticed.
    pub reload: Reload,
}

/// How an engine notices that scripts changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reload {
    /// By the platform's file watcher, and where that does not work by looking every two seconds.
    #[default]
    Watch,
    /// By looking that often.
    Poll(Duration),
    /// Not at all: the scripts of the start stay.
    Off,
}
