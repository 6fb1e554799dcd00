//! `goop2 data`: one raw data request, to another peer or as the owner to one's own.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use goop2::peer::OwnerData;
use serde_json::{Value, json};

use super::address::Target;
use super::args::json;
use super::client::{Client, is_ok, refusal};
use super::failure::{CommandResult, Failure};
use super::output::{Output, note, printable};
use super::peer::start_failure;

/// Sends one data request as it is and prints the answer as it comes, as JSON
///
/// With a peer folder in place of an address, the request is the owner's: it sees and changes every row,
/// and may create, change and delete tables. That works while the peer runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 data /ip4/127.0.0.1/tcp/4001/p2p/\
                        12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp '{\"op\": \"tables\"}'\n  \
                        goop2 data quiz '{\"op\": \"create-table\", \"table\": \"notes\", \
                        \"column_defs\": [{\"name\": \"text\"}], \"insert_policy\": \"open\"}'")]
pub(crate) struct Args {
    /// The peer's address, a multiaddr that ends in /p2p/ID; or your own peer's folder
    #[arg(value_name = "ADDR|DIR")]
    target: Target,

    /// The request, for example {"op": "query", "table": "scores"}
    #[arg(value_name = "JSON", value_parser = json)]
    request: Value,

    /// The key file of the identity to ask as; made if it is missing. Without it, a new identity each time
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

pub(crate) async fn execute(args: Args) -> CommandResult {
    let answer = match &args.target {
        Target::Peer(address) => {
            let client = Client::connect(address, args.identity.as_deref(), "").await?;
            client.data(&args.request).await?
        }
        Target::Folder(dir) if args.identity.is_none() => as_owner(dir, &args.request).await?,
        Target::Folder(dir) => {
            let dir = dir.display();
            return Err(Failure::usage(anyhow!(
                "--identity: in {dir} the peer's owner asks; leave it out, or give the peer's address"
            )));
        }
    };
    Output::stdout().pretty_json(&answer)?;
    if is_ok(&answer) {
        return Ok(());
    }
    note(&format!("goop2: the peer refused: {}", printable(&refusal(&answer))));
    Err(Failure::reported())
}

async fn as_owner(dir: &Path, request: &Value) -> CommandResult<Value> {
    let op = request.get("op").and_then(Value::as_str).unwrap_or_default();
    if ["lua-call", "lua-list"].contains(&op) {
        // A second engine beside the running peer's would have rate limits and counters of its own.
        let instead = "`goop2 run SCRIPT --peer DIR --call JSON` runs one, and `goop2 check DIR` lists them";
        return Ok(json!({ "ok": false, "error": format!("scripts don't run here: {instead}") }));
    }
    let dir = dir.to_owned();
    let owner = tokio::task::spawn_blocking(move || OwnerData::open(&dir)).await?.map_err(start_failure)?;
    let answer = owner.respond(request.to_string().as_bytes()).await;
    Ok(serde_json::from_slice(&answer)?)
}
