//! `goop2 demo`: the main job in one go, over a real connection on this machine.

mod host_files;
mod tour;
mod transcript;

use std::path::PathBuf;

use goop2::peer::{Peer, PeerOptions, create};
use goop2::template::Bundle;
use libp2p::Multiaddr;

use self::host_files::QuizKey;
use self::transcript::Transcript;
use super::address::PeerAddress;
use super::client::Client;
use super::failure::{CommandResult, Failure};
use super::new::quoted;
use super::output::Output;
use super::peer::{refuse_viewer, start_failure};
use super::stop::Stop;

/// The template that the demo's peer is made from.
const TEMPLATE: &str = "quiz";

/// On this machine only, at a port that the system chooses.
const LISTEN: &str = "/ip4/127.0.0.1/tcp/0";

/// Makes a quiz peer and a visitor, shows what they say to each other, and stays up
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 demo\n  goop2 demo --once")]
pub(crate) struct Args {
    /// Make the peer in this folder, which must not exist or be empty, and keep it
    #[arg(long)]
    dir: Option<PathBuf>,

    /// Exit after the exchanges, with 1 if any failed
    #[arg(long)]
    once: bool,

    /// Where to serve the viewer
    #[arg(long, value_name = "ADDR")]
    viewer: Option<String>,
}

pub(crate) async fn execute(args: Args) -> CommandResult {
    refuse_viewer(args.viewer.as_deref())?;
    let mut stop = Stop::listen()?;
    let temporary = if args.dir.is_none() { Some(tempfile::tempdir()?) } else { None };
    let inside = temporary.as_ref().map(|folder| folder.path().join(TEMPLATE));
    let Some(dir) = args.dir.or(inside) else { return Ok(()) };
    create(&dir, Some(&Bundle::built_in(TEMPLATE)?), None)?;
    let listen: Multiaddr = LISTEN.parse()?;
    let options = PeerOptions { listen: Some(vec![listen]), dial: Vec::new() };
    let host = Peer::start(&dir, options).await.map_err(start_failure)?;
    let shown = tokio::select! {
        shown = show(&dir, &host, args.once) => shown,
        // With --once, somebody waits to hear how it went.
        () = stop.wished() => return if args.once { Err(Failure::reported()) } else { Ok(()) },
    };
    let failed = match shown {
        Ok(all_well) => !all_well,
        Err(failure) => {
            host.shutdown().await;
            return Err(failure);
        }
    };
    if !args.once {
        stop.wished().await;
    }
    host.shutdown().await;
    if failed { Err(Failure::reported()) } else { Ok(()) }
}

/// Shows the exchanges, and what to try next if the peer stays up. Tells whether all went well.
async fn show(dir: &std::path::Path, host: &Peer, once: bool) -> CommandResult<bool> {
    let addresses = host.addresses().await;
    let address = addresses.first().ok_or_else(|| anyhow::anyhow!("the peer listens nowhere"))?;
    let visitor = Client::connect(&PeerAddress(address.clone()), None, "Visitor").await?;
    let key = QuizKey::read(dir)?;
    let mut transcript = Transcript::new(Output::stdout());
    transcript.heading("A quiz peer and a visitor on this machine, over libp2p")?;
    transcript.fact("host", host.id().as_str())?;
    transcript.fact("visitor", visitor.id().as_str())?;
    transcript.fact("folder", &dir.display().to_string())?;
    tour::run(&mut transcript, dir, host, &visitor, &key).await?;
    let all_well = transcript.summary()?;
    if !once {
        let answers = serde_json::json!({ "quiz_id": key.quiz_id, "answers": key.mostly_wrong() });
        transcript.heading("The peer stays up until Ctrl-C. In another terminal, try")?;
        transcript.plain(&format!("goop2 chat {address} '!help'"))?;
        transcript.plain(&format!("goop2 call {address} score-quiz {}", quoted(&answers.to_string())))?;
        transcript.heading("Then change this file, save it, and call again")?;
        transcript.plain(&host_files::score_script(dir).display().to_string())?;
    }
    Ok(all_well)
}
