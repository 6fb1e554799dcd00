//! `goop2 get`: fetches a file of a peer's site.

use std::path::PathBuf;

use anyhow::anyhow;

use super::client::Connection;
use super::failure::{CommandResult, Failure};
use super::output::{Output, one_line, printable};

/// The longest media type shown, in characters.
const MAX_MIME_CHARS: usize = 100;

/// Fetches a file of a peer's site
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 get /ip4/127.0.0.1/tcp/4001/p2p/\
                        12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp / -o page.html")]
pub(crate) struct Args {
    #[command(flatten)]
    connection: Connection,

    /// The file's path on the site; / is the first page
    path: String,

    /// Write to this file in place of stdout
    #[arg(short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn execute(args: Args) -> CommandResult {
    let client = args.connection.open().await?;
    let (mime, bytes) = client.get(&args.path).await?;
    let mime = one_line(&mime, MAX_MIME_CHARS);
    let mut output = Output::stdout();
    if let Some(file) = &args.output {
        std::fs::write(file, &bytes)
            .map_err(|error| anyhow!("{}: can't be written: {error}", file.display()))?;
        output.line(&format!("{mime}, {} bytes, written to {}", bytes.len(), file.display()))?;
    } else if !output.is_terminal() {
        output.bytes(&bytes)?;
    } else {
        // A stranger's bytes could do anything to the terminal.
        match String::from_utf8(bytes) {
            Ok(text) => output.bytes(printable(&text).as_bytes())?,
            Err(error) => {
                let size = error.as_bytes().len();
                return Err(Failure::from(anyhow!("{mime}, {size} bytes, is no text; use -o FILE")));
            }
        }
    }
    Ok(())
}
