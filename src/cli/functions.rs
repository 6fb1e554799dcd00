//! `goop2 functions`: lists a peer's data functions.

use serde_json::Value;

use super::client::Connection;
use super::failure::CommandResult;
use super::output::{Look, Output, note, one_line};

/// The longest name and description shown, in characters; a script's own are shorter.
const MAX_NAME_CHARS: usize = 64;
const MAX_DESCRIPTION_CHARS: usize = 500;

/// Lists the data functions of a peer
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 functions /ip4/127.0.0.1/tcp/4001/p2p/\
                        12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp")]
pub(crate) struct Args {
    #[command(flatten)]
    connection: Connection,

    /// Print a JSON list of {"name", "description"}
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn execute(args: Args) -> CommandResult {
    let client = args.connection.open().await?;
    let functions = client.functions().await?;
    let mut output = Output::stdout();
    if args.json {
        output.json(&functions)?;
        return Ok(());
    }
    let functions = listed(&functions);
    if functions.is_empty() {
        note("the peer has no data functions");
    }
    let width = functions.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, description) in functions {
        let gap = " ".repeat(width.saturating_sub(name.chars().count()));
        output.line(format!("{}{gap}  {description}", output.paint(Look::Strong, &name)).trim_end())?;
    }
    Ok(())
}

/// Name and description of each function, fit to be shown.
pub(crate) fn listed(functions: &Value) -> Vec<(String, String)> {
    let text = |function: &Value, key: &str, max_chars: usize| {
        one_line(function.get(key).and_then(Value::as_str).unwrap_or_default(), max_chars)
    };
    let functions = functions.as_array().map(Vec::as_slice).unwrap_or_default().iter();
    functions
        .map(|function| {
            let description = text(function, "description", MAX_DESCRIPTION_CHARS);
            (text(function, "name", MAX_NAME_CHARS), description)
        })
        .collect()
}
