//! The commands as one tree, for clap.

use std::time::Duration;

use clap::{Parser, Subcommand};

use super::{call, chat, check, config, data, demo, functions, get, kv, lua, new, peer, run};

/// The largest memory limit that can be asked for, in MiB: what the configuration allows a script.
const MAX_MEMORY_MB: u64 = 1024;

/// The longest time limit that can be asked for, in seconds. Benchmarks run longer than visitors wait.
const MAX_TIMEOUT_SECONDS: f64 = 3600.0;

/// A peer-to-peer web for small, personal sites, programmable in sandboxed Lua
#[derive(Debug, Parser)]
#[command(
    name = "goop2",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Start here:\n  goop2 demo\n\n\
                  Exit codes: 0 done, 1 the thing asked for failed, 2 wrong usage or unreadable input.\n\
                  With --json, stdout is one JSON value after 0 and 1 (of `peer`, one a line), and empty after 2.\n\
                  GOOP2_LOG=debug shows more of what goes on, on stderr."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Args),
    New(new::Args),
    Peer(peer::Args),
    Chat(chat::Args),
    Call(call::Args),
    Functions(functions::Args),
    Get(get::Args),
    Data(data::Args),
    Check(check::Args),
    Run(run::Args),
    Lua(lua::Args),
    Kv(kv::Args),
    Config(config::Args),
}

/// The shortest time limit that can be asked for, in seconds: less is no time to run in, and none that can be shown.
const MIN_TIMEOUT_SECONDS: f64 = 0.001;

/// Reads a time limit in seconds, `5` or `0.5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (MIN_TIMEOUT_SECONDS..=MAX_TIMEOUT_SECONDS).contains(&seconds) => {
            Ok(Duration::from_secs_f64(seconds))
        }
        _ => Err(format!(
            "a time limit is a number of seconds from {MIN_TIMEOUT_SECONDS} to {MAX_TIMEOUT_SECONDS}"
        )),
    }
}

/// Reads a memory limit in MiB and gives bytes.
pub(crate) fn megabytes(text: &str) -> Result<usize, String> {
    let megabytes = text.parse::<u64>().ok().filter(|megabytes| (1..=MAX_MEMORY_MB).contains(megabytes));
    megabytes
        .and_then(|megabytes| usize::try_from(megabytes * 1024 * 1024).ok())
        .ok_or_else(|| format!("a memory limit is a whole number of MB from 1 to {MAX_MEMORY_MB}"))
}

/// Reads how often a script is to run.
pub(crate) fn runs(text: &str) -> Result<u32, String> {
    let runs = text.parse().ok().filter(|runs| *runs >= 1);
    runs.ok_or_else(|| format!("the number of runs is a whole number from 1 to {}", u32::MAX))
}

/// Reads one JSON value.
pub(crate) fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))
}

#[cfg(test)]
mod tests;
