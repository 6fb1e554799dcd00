//! `goop2 chat`: sends a direct message and shows the reply.

use std::time::Duration;

use goop2::p2p::MAX_PRESENCE_LABEL_BYTES;
use serde_json::json;

use super::address::PeerAddress;
use super::args::seconds;
use super::client::Client;
use super::failure::CommandResult;
use super::output::{Output, note, printable};

/// Sends a direct message to a peer and prints the reply; `!help` asks for its commands
///
/// Ends at the first reply. A message that is delivered and not answered is no failure: not every
/// message has a reply.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 chat /ip4/127.0.0.1/tcp/4001/p2p/\
                        12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp '!help'")]
pub(crate) struct Args {
    /// The peer's address: a multiaddr that ends in /p2p/ID
    #[arg(value_name = "ADDR")]
    address: PeerAddress,

    /// The message
    #[arg(allow_hyphen_values = true)]
    text: String,

    /// The key file of the identity to send as; made if it is missing. Without it, a new identity each time
    #[arg(long, value_name = "FILE")]
    identity: Option<std::path::PathBuf>,

    /// The name to announce to the peer; its scripts see it as goop.peer.label. At most 200 bytes
    #[arg(long, default_value = "", value_parser = label)]
    label: String,

    /// How long to wait for a reply; 0 does not wait
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = wait)]
    wait: Duration,

    /// Print one JSON object: {"ok": true, "replies": [{"from", "content", "timestamp", …}]}
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads how long to wait, which may be no time at all.
fn wait(text: &str) -> Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { seconds(text) }
}

/// Reads a label that others will see whole; they would cut off the rest.
fn label(text: &str) -> Result<String, String> {
    if text.len() > MAX_PRESENCE_LABEL_BYTES {
        let found = text.len();
        return Err(format!("a label has at most {MAX_PRESENCE_LABEL_BYTES} bytes, found {found}"));
    }
    Ok(text.to_owned())
}

pub(crate) async fn execute(args: Args) -> CommandResult {
    let client = Client::connect(&args.address, args.identity.as_deref(), &args.label).await?;
    let reply = client.chat(args.text, args.wait).await?;
    let mut output = Output::stdout();
    if args.json {
        let replies: Vec<_> = reply.iter().map(|message| json!(**message)).collect();
        output.json(&json!({ "ok": true, "replies": replies }))?;
    } else if let Some(reply) = reply {
        output.line(&printable(&reply.content))?;
    } else {
        note(&format!("delivered; no reply within {} s", args.wait.as_secs_f64()));
    }
    Ok(())
}
