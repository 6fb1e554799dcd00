//! `goop2 get`: fetches a file of a peer's site.

use std::fs::{Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use futures::io::AllowStdIo;
use tempfile::NamedTempFile;

use super::client::{Client, Connection};
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
    match &args.output {
        Some(file) => save(&client, &args.path, file).await,
        None => show(&client, &args.path).await,
    }
}

/// Writes the file as it comes, so that it is never held whole. It gets its name when all of it is there:
/// a transfer that breaks off leaves what was there before.
async fn save(client: &Client, path: &str, target: &Path) -> CommandResult {
    let failed = |error: io::Error| anyhow!("{}: can't be written: {error}", target.display());
    // What a link leads to is written, and a device or a pipe is not replaced.
    let place = target.canonicalize().unwrap_or_else(|_| target.to_owned());
    let (mime, size) = match place.metadata() {
        Ok(found) if !found.is_file() => {
            let file = OpenOptions::new().write(true).open(&place).map_err(failed)?;
            client.get_into(path, &mut AllowStdIo::new(file)).await?
        }
        found => {
            let mut part = part_beside(&place, found.ok()).map_err(failed)?;
            let fetched = client.get_into(path, &mut AllowStdIo::new(part.as_file_mut())).await?;
            part.persist(&place).map_err(|error| failed(error.error))?;
            fetched
        }
    };
    let mime = one_line(&mime, MAX_MIME_CHARS);
    Ok(Output::stdout().line(&format!("{mime}, {size} bytes, written to {}", target.display()))?)
}

/// A new file in the folder of `place`, with the rights of the one that it will replace, or those that any
/// new file gets.
fn part_beside(place: &Path, replaced: Option<Metadata>) -> io::Result<NamedTempFile> {
    let folder = match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".goop2-get-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let part = builder.tempfile_in(folder)?;
    if let Some(replaced) = replaced {
        part.as_file().set_permissions(replaced.permissions())?;
    }
    Ok(part)
}

async fn show(client: &Client, path: &str) -> CommandResult {
    let (mime, bytes) = client.get(path).await?;
    let mime = one_line(&mime, MAX_MIME_CHARS);
    let mut output = Output::stdout();
    if !output.is_terminal() {
        output.bytes(&bytes)?;
        return Ok(());
    }
    // A stranger's bytes could do anything to the terminal.
    match String::from_utf8(bytes) {
        Ok(text) => Ok(output.bytes(printable(&text).as_bytes())?),
        Err(error) => {
            let size = error.as_bytes().len();
            Err(Failure::from(anyhow!("{mime}, {size} bytes, is no text; use -o FILE")))
        }
    }
}
