//! `goop2 run`: runs one script by hand, as the engine would.

pub(in crate::cli) mod report;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use goop2::config::LuaConfig;
use goop2::p2p::own_id;
use goop2::peer::{open_config, own_caller};
use goop2::peer_id::PeerId;
use goop2::script::{Caller, HttpClient, Runner, RunnerError, Surroundings};
use goop2::vm::{Entry, Limits};
use libp2p::identity::Keypair;
use serde_json::Value;

use self::report::{Finished, Repeat};
use super::args::{json, megabytes, runs, seconds};
use super::failure::{CommandResult, FAILED, Failure};
use super::output::Output;
use super::scripts::{self, Scripts};

/// Runs one script offline, in the real sandbox with the real limits
///
/// Calls `handle(ARGS)`, or with --call `call({params = JSON})`. What the script prints and logs goes to
/// stderr.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 run greet.lua --label Ada\n  \
                        goop2 run echo.lua --stats -- '- a dash'\n  \
                        goop2 run quiz/site/lua/leaderboard.lua --peer quiz --call '{\"game_id\": \"solar-system\"}' --stats")]
pub(crate) struct Args {
    /// The script
    script: PathBuf,

    /// What follows the command's name in the chat; behind -- if it starts with - and is no number
    #[arg(allow_negative_numbers = true)]
    args: Option<String>,

    /// Call the data function with these parameters in place of the chat command
    #[arg(long, value_name = "JSON", value_parser = json, conflicts_with = "args", allow_hyphen_values = true)]
    call: Option<Value>,

    /// Run as a script of this peer: its id, label, commands, database, KV and limits
    #[arg(long, value_name = "DIR")]
    peer: Option<PathBuf>,

    /// Who calls; the script's own peer unless given
    #[arg(long = "as", value_name = "PEER_ID", value_parser = peer_id)]
    caller: Option<PeerId>,

    /// The caller's label
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,

    /// The longest a run may take; 5, or the peer's own limit
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,

    /// The most memory a run may hold; 10, or the peer's own limit
    #[arg(long, value_name = "MB", value_parser = megabytes)]
    memory: Option<usize>,

    /// Run it so many times, each in a fresh VM, until one fails
    #[arg(long, value_name = "N", value_parser = runs)]
    repeat: Option<u32>,

    /// Show what the run used
    #[arg(long)]
    stats: bool,

    /// Print one JSON object: {"ok", "reply", "result", "error", "stats"}, and "repeat" with --repeat
    #[arg(long)]
    json: bool,
}

/// Scripts are given any name of the right letters; a person who types one means a real id.
fn peer_id(text: &str) -> Result<PeerId, String> {
    text.parse::<libp2p::PeerId>().map_err(|error| format!("it is no peer id: {error}"))?;
    PeerId::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn execute(args: Args) -> CommandResult {
    let finished = match finish(&args) {
        // It is what became of the run, and stands where that is looked for.
        Err(Failure { error: Some(error), exit }) if exit == FAILED => Finished::not_run(&error),
        finished => finished?,
    };
    let file_name = args.script.file_name().unwrap_or_default().to_string_lossy();
    let mut output = Output::stdout();
    if args.json {
        output.json(&finished.as_json(&file_name))?;
    } else {
        finished.print(&mut output, args.stats)?;
    }
    if finished.is_ok() { Ok(()) } else { Err(Failure::reported()) }
}

/// Loads and runs the script. An error is one of usage, or of this program and its machine.
fn finish(args: &Args) -> CommandResult<Finished> {
    let source = scripts::read(&args.script).map_err(|error| Failure::unreadable(&args.script, &error))?;
    let surroundings = surroundings(args, &source)?;
    match Runner::load(&args.script, &source, surroundings) {
        Ok(runner) => {
            // What is measured is what a peer runs.
            let runner = if args.repeat.is_some() { runner } else { runner.traced() };
            let finished = run(args, &runner);
            Ok(if args.peer.is_none() { finished.without_peer() } else { finished })
        }
        Err(RunnerError::Load(error)) => Ok(Finished::not_loaded(&error)),
        Err(error @ RunnerError::Name { .. }) => Err(Failure::usage(error)),
        Err(error) => Err(error.into()),
    }
}

/// Where the script runs: in the peer of `--peer`, or in one that has nothing but this script.
fn surroundings(args: &Args, source: &[u8]) -> CommandResult<Surroundings> {
    let (own, peer_dir, script_dir, commands, lua) = match &args.peer {
        Some(dir) => {
            let config = open_config(dir).map_err(Failure::usage)?;
            let own = own_caller(dir, &config).map_err(Failure::usage)?;
            let commands = Scripts::of_peer(dir, &config).commands();
            (own, Some(dir.clone()), Some(dir.join(&config.lua.script_dir)), commands, config.lua)
        }
        None => {
            let own = Caller { peer: own_id(&Keypair::generate_ed25519())?, label: String::new() };
            (own, None, None, scripts::command_name(&args.script, source), LuaConfig::default())
        }
    };
    let caller =
        Caller { peer: args.caller.clone().unwrap_or_else(|| own.peer.clone()), label: args.label.clone() };
    let limits = Limits {
        time: args.timeout.unwrap_or(lua.timeout()),
        memory_bytes: args.memory.unwrap_or(lua.max_memory_bytes()),
    };
    let http = lua.http_enabled.then(HttpClient::new);
    Ok(Surroundings { caller, own, peer_dir, script_dir, kv_enabled: lua.kv_enabled, commands, http, limits })
}

fn run(args: &Args, runner: &Runner) -> Finished {
    let entry = || match &args.call {
        Some(params) => Entry::Call(params.clone()),
        None => Entry::Handle(args.args.clone().unwrap_or_default()),
    };
    let rounds = args.repeat.unwrap_or(1);
    let mut times = Vec::new();
    loop {
        let entry = entry();
        let start = Instant::now();
        let (result, stats) = runner.run(entry);
        times.push(start.elapsed());
        if result.is_err() || times.len() as u64 >= rounds.into() {
            let finished = Finished::of(result, stats, runner.entries());
            return match args.repeat {
                Some(_) => finished.repeated(Repeat::of(times)),
                None => finished,
            };
        }
    }
}
