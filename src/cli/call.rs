//! `goop2 call`: calls a data function.

use serde_json::{Value, json};

use super::args::json;
use super::client::Connection;
use super::failure::CommandResult;
use super::output::Output;

/// Calls a data function of a peer and prints its result as JSON
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 call /ip4/127.0.0.1/tcp/4001/p2p/\
                        12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp leaderboard \
                        '{\"game_id\": \"solar-system\"}'")]
pub(crate) struct Args {
    #[command(flatten)]
    connection: Connection,

    /// The function's name; `goop2 functions` lists them
    function: String,

    /// The parameters, `request.params` in the script
    #[arg(value_name = "JSON", value_parser = json, allow_hyphen_values = true)]
    params: Option<Value>,

    /// Print the result on one line; when the call fails, {"ok": false, "error": …}
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn execute(args: Args) -> CommandResult {
    let client = args.connection.open().await?;
    let result = client.call(&args.function, &args.params.unwrap_or_else(|| json!({}))).await?;
    let mut output = Output::stdout();
    if args.json {
        output.json(&result)?
    } else {
        output.pretty_json(&result)?
    }
    Ok(())
}
