//! `goop2 data`: one raw data request.

use serde_json::Value;

use super::args::json;
use super::client::{Connection, is_ok, refusal};
use super::failure::{CommandResult, Failure};
use super::output::{Output, note, printable};

/// Sends one data request as it is and prints the answer as it comes, as JSON
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 data /ip4/127.0.0.1/tcp/4001/p2p/\
                        12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp '{\"op\": \"tables\"}'")]
pub(crate) struct Args {
    #[command(flatten)]
    connection: Connection,

    /// The request, for example {"op": "query", "table": "scores"}
    #[arg(value_name = "JSON", value_parser = json)]
    request: Value,
}

pub(crate) async fn execute(args: Args) -> CommandResult {
    let client = args.connection.open().await?;
    let answer = client.data(&args.request).await?;
    Output::stdout().pretty_json(&answer)?;
    if is_ok(&answer) {
        return Ok(());
    }
    note(&format!("goop2: the peer refused: {}", printable(&refusal(&answer))));
    Err(Failure::reported())
}
