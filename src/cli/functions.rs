//! `goop2 functions`: lists a peer's data functions.

use serde_json::Value;

use super::client::Connection;
use super::failure::CommandResult;
use super::output::{Look, Output, note, one_line};

/// The longest name and description shown, in characters; a script's own are shorter.
const MAX_NAME_CHARS: usize = 64;
const MAX_DESCRIPTION_CHARS: usize = 500;

/// The most parameters shown; a script of ours has no more.
const MAX_PARAMS: usize = 32;

/// Lists the data functions of a peer
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 functions /ip4/127.0.0.1/tcp/4001/p2p/\
                        12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp")]
pub(crate) struct Args {
    #[command(flatten)]
    connection: Connection,

    /// Print a JSON list of {"name", "description"}, with "params", "returns", "example" and "rate_limit"
    /// where a script says them
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
    let listed = listed(&functions);
    if listed.is_empty() {
        note("the peer has no data functions");
    }
    let width = listed.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for ((name, description), function) in listed.iter().zip(as_list(&functions)) {
        let gap = " ".repeat(width.saturating_sub(name.chars().count()));
        output.line(format!("{}{gap}  {description}", output.paint(Look::Strong, name)).trim_end())?;
        for detail in details(function) {
            output.line(&format!("{}  {}", " ".repeat(width), output.paint(Look::Quiet, &detail)))?;
        }
    }
    Ok(())
}

/// Name and description of each function, fit to be shown.
pub(crate) fn listed(functions: &Value) -> Vec<(String, String)> {
    let text = |function: &Value, key: &str, max_chars: usize| {
        one_line(function.get(key).and_then(Value::as_str).unwrap_or_default(), max_chars)
    };
    as_list(functions)
        .iter()
        .map(|function| {
            let description = text(function, "description", MAX_DESCRIPTION_CHARS);
            (text(function, "name", MAX_NAME_CHARS), description)
        })
        .collect()
}

fn as_list(functions: &Value) -> &[Value] {
    functions.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What else a function says of itself, a line each. Deployed peers say nothing.
fn details(function: &Value) -> Vec<String> {
    let text = |value: &Value, key: &str| {
        one_line(value.get(key).and_then(Value::as_str).unwrap_or_default(), MAX_DESCRIPTION_CHARS)
    };
    let params = function.get("params").map(as_list).unwrap_or_default().iter().take(MAX_PARAMS);
    let mut lines: Vec<_> = params
        .map(|param| {
            let line =
                format!("{} ({}) {}", text(param, "name"), text(param, "type"), text(param, "description"));
            line.trim_end().to_owned()
        })
        .collect();
    for key in ["returns", "example"] {
        let text = text(function, key);
        if !text.is_empty() {
            lines.push(format!("{key}: {text}"));
        }
    }
    if let Some(limit) = function.get("rate_limit").and_then(Value::as_u64) {
        lines.push(format!("at most {limit} {} a minute", if limit == 1 { "call" } else { "calls" }));
    }
    lines
}
