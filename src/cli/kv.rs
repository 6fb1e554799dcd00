//! `goop2 kv`: the owner's way to what a script keeps, such as its API key.

use std::io::Read;
use std::path::PathBuf;

use anyhow::anyhow;
use goop2::peer::open_config;
use goop2::script::{KvStore, MAX_KV_BYTES, MAX_SCRIPT_NAME_CHARS, ScriptName};

use super::failure::{CommandResult, Failure};
use super::output::{Output, note, printable, printable_line};

/// Reads and changes what a script keeps with goop.kv; works while the peer runs
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 kv quiz weather set api_key\n  goop2 kv quiz weather list\n\n\
                        `set` without a value reads it from stdin, so that a secret stays out of the \
                        shell's history.")]
pub(crate) struct Args {
    /// The peer folder
    dir: PathBuf,

    /// The script's name
    #[arg(value_parser = script_name)]
    script: ScriptName,

    #[command(subcommand)]
    action: Action,
}

/// What is done.
#[derive(Debug, clap::Subcommand)]
#[command(disable_help_subcommand = true)]
enum Action {
    /// Prints the keys, one per line
    #[command(after_help = "Example:\n  goop2 kv quiz weather list")]
    List,
    /// Prints the value of a key
    #[command(after_help = "Example:\n  goop2 kv quiz weather get api_key")]
    Get {
        /// The key
        key: String,
    },
    /// Sets a key
    #[command(after_help = "Example:\n  goop2 kv quiz weather set api_key abc123")]
    Set {
        /// The key
        key: String,
        /// The value; without it, what stdin has, less one line end
        #[arg(allow_hyphen_values = true)]
        value: Option<String>,
    },
    /// Deletes a key
    #[command(after_help = "Example:\n  goop2 kv quiz weather del api_key")]
    Del {
        /// The key
        key: String,
    },
}

fn script_name(text: &str) -> Result<ScriptName, String> {
    let name = text.strip_suffix(".lua").unwrap_or(text);
    ScriptName::parse(name).ok_or_else(|| {
        format!("a script's name has only letters, digits, - and _, at most {MAX_SCRIPT_NAME_CHARS} of them")
    })
}

pub(crate) fn execute(args: Args) -> CommandResult {
    let Args { dir, script, action } = args;
    let config = open_config(&dir).map_err(Failure::usage)?;
    let script_dir = dir.join(&config.lua.script_dir);
    let is_there = |folder: PathBuf| folder.join(script.file_name()).is_file();
    if !is_there(script_dir.clone()) && !is_there(script_dir.join("functions")) {
        note(&format!("goop2: there is no {} in {} yet", script.file_name(), script_dir.display()));
    }
    let store = KvStore::new(&script_dir, &script);
    let is_reading = matches!(action, Action::List | Action::Get { .. });
    let no_such_key = |key: &str| anyhow!("{script} has no key {key:?}");
    let mut output = Output::stdout();
    if is_reading {
        // Before its keys are missed; reading sets a broken file aside.
        store.entries()?;
        for file in store.set_aside_files()? {
            note(&format!(
                "goop2: a store of {script} was no JSON object of strings and was set aside as {}; \
                 copy what is missing from it, and delete it",
                printable(&file.display().to_string())
            ));
        }
    }
    match action {
        Action::List => {
            for key in store.entries()?.keys() {
                output.line(&printable_line(key))?;
            }
        }
        Action::Get { key } => {
            let value = store.get(&key)?.ok_or_else(|| no_such_key(&key))?;
            let shown = if output.is_terminal() { printable(&value) } else { value };
            output.line(&shown)?;
        }
        Action::Set { key, value } => {
            let value = value.map_or_else(from_stdin, Ok)?;
            store.set(&key, &value)?;
            store.flush_now()?;
        }
        Action::Del { key } => {
            if !store.delete(&key)? {
                return Err(no_such_key(&key).into());
            }
            store.flush_now()?;
        }
    }
    Ok(())
}

/// A value from stdin, without the line end that `echo` and the Enter key add.
fn from_stdin() -> CommandResult<String> {
    // A few bytes more than fit, so that the store finds it too large and says so.
    let limit = MAX_KV_BYTES as u64 + 16;
    let mut value = String::new();
    std::io::stdin()
        .take(limit)
        .read_to_string(&mut value)
        .map_err(|error| Failure::usage(anyhow!("the value on stdin can't be read: {error}")))?;
    let end = value.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).map(str::len);
    value.truncate(end.unwrap_or(value.len()));
    Ok(value)
}
