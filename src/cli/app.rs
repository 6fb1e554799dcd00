//! Parse, run, report, exit.

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::json;

use super::args::{Cli, Command};
use super::failure::{CommandResult, Failure};
use super::logging::{self, Writing};
use super::output::{Output, note, printable};
use super::{call, chat, check, config, data, demo, functions, get, kv, lua, new, peer, run};

/// What is logged unless the owner asks for more: what goes wrong. Scripts' own lines are for the
/// owner in any case. Libraries warn of each thing that a stranger does wrong, as often as the stranger
/// likes; what of it an owner has to know is told once by this program.
const LOG: &str = "error,libp2p_gossipsub=off,goop2=warn,goop2::lua=info";

/// As [`LOG`], for commands that show what happens to scripts themselves.
const LOG_BUT_SCRIPTS: &str = "error,libp2p_gossipsub=off,goop2=warn,goop2::lua=info,goop2::scripts=off";

/// The demo shows by itself what goes wrong in it on purpose.
const LOG_OF_DEMO: &str = "error,libp2p_gossipsub=off,goop2=warn,goop2::lua=off,goop2::scripts=off";

/// How long the process waits at its end for work that was left behind.
const LEFT_BEHIND: Duration = Duration::from_millis(100);

/// Runs the command that `arguments` (the program's name first) ask for.
pub(crate) fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout with 0, anything else to stderr with 2; a closed pipe is neither's
            // concern.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let json = wants_one_value(&cli.command);
    match execute(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure, json),
    }
}

/// Whether stdout is to be one JSON value, also when what was asked for fails. After wrong usage it is empty:
/// the arguments may not even say whether JSON is wanted.
fn wants_one_value(command: &Command) -> bool {
    match command {
        Command::Chat(args) => args.json,
        Command::Call(args) => args.json,
        Command::Functions(args) => args.json,
        Command::Check(args) => args.json,
        _ => false,
    }
}

fn report(failure: &Failure, json: bool) -> ExitCode {
    if let Some(error) = &failure.error {
        note(&format!("goop2: {}", printable(&error.to_string())));
        if json && failure.is_failed() {
            // The exit code tells as much if this can't be written.
            let _ = Output::stdout().json(&json!({ "ok": false, "error": error.to_string() }));
        }
    }
    ExitCode::from(failure.exit)
}

fn execute(command: Command) -> CommandResult {
    let (default, writing) = match &command {
        Command::Demo(_) => (LOG_OF_DEMO, Writing::AtOnce),
        Command::Peer(_) => (LOG_BUT_SCRIPTS, Writing::InBackground),
        _ => (LOG, Writing::AtOnce),
    };
    let log = logging::start(default, writing)?;
    let result = run_command(command);
    // Before an error that ended the command is told.
    log.finish();
    result
}

fn run_command(command: Command) -> CommandResult {
    match command {
        Command::Demo(args) => wait(demo::execute(args)),
        Command::New(args) => new::execute(&args),
        Command::Peer(args) => wait(peer::execute(args)),
        Command::Chat(args) => wait(chat::execute(args)),
        Command::Call(args) => wait(call::execute(args)),
        Command::Functions(args) => wait(functions::execute(args)),
        Command::Get(args) => wait(get::execute(args)),
        Command::Data(args) => wait(data::execute(args)),
        Command::Check(args) => check::execute(&args),
        Command::Run(args) => run::execute(args),
        Command::Lua(args) => lua::execute(&args),
        Command::Kv(args) => kv::execute(args),
        Command::Config(args) => config::execute(&args),
    }
}

fn wait(work: impl Future<Output = CommandResult>) -> CommandResult {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    // A script that was left behind must not keep the process.
    runtime.shutdown_timeout(LEFT_BEHIND);
    result
}
