//! `goop2 peer`: runs a peer until its owner stops it.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use goop2::chat::Message;
use goop2::peer::{Peer, PeerError, PeerEvent, PeerOptions};
use goop2::peer_id::PeerId;
use goop2::script::ScriptEvent;
use libp2p::Multiaddr;
use serde_json::{Value, json};

use super::address::{PeerAddress, multiaddr};
use super::failure::{CommandResult, Failure};
use super::output::{Look, Output, note, one_line, printable};
use super::stop::Stop;

/// How much of a message is shown, in characters; --json has all of it.
const MAX_SHOWN_CHARS: usize = 200;

/// Runs the peer of a folder until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 peer quiz\n  goop2 peer quiz --listen /ip4/127.0.0.1/tcp/0 --json")]
pub(crate) struct Args {
    /// The peer folder; `goop2 new` makes one
    dir: PathBuf,

    /// Listen here, in place of every interface at the port p2p.listen_port; can be given several times
    #[arg(long, value_name = "MULTIADDR", value_parser = multiaddr)]
    listen: Vec<Multiaddr>,

    /// Connect to this peer, an address that ends in /p2p/ID; can be given several times
    #[arg(long, value_name = "MULTIADDR")]
    dial: Vec<PeerAddress>,

    /// Where to serve the viewer
    #[arg(long, value_name = "ADDR")]
    viewer: Option<String>,

    /// Serve no viewer
    #[arg(long, conflicts_with = "viewer")]
    no_viewer: bool,

    /// Print one JSON event per line; the first is {"event": "ready", "peer_id", "addrs", "viewer"}
    #[arg(long)]
    json: bool,
}

/// Refuses a viewer that was asked for: silence would let its owner wait for it.
pub(crate) fn refuse_viewer(asked: Option<&str>) -> CommandResult {
    match asked {
        None => Ok(()),
        Some(_) => Err(Failure::usage(anyhow!("--viewer: the viewer is not available in this version"))),
    }
}

/// A failed start by whose fault it is: a folder or configuration that can't be used is the input's.
pub(crate) fn start_failure(error: PeerError) -> Failure {
    match error {
        PeerError::NotAPeerFolder { .. } | PeerError::Config(_) => Failure::usage(error),
        error => Failure::from(error),
    }
}

pub(crate) async fn execute(args: Args) -> CommandResult {
    refuse_viewer(args.viewer.as_deref())?;
    let mut stop = Stop::listen()?;
    let listen = if args.listen.is_empty() { None } else { Some(args.listen) };
    let dial = args.dial.into_iter().map(|address| address.0).collect();
    let start = Peer::start(&args.dir, PeerOptions { listen, dial });
    let peer = tokio::select! {
        started = start => started.map_err(start_failure)?,
        () = stop.wished() => return Ok(()),
    };
    let mut events = peer.events();
    let mut show = Show { output: Output::stdout(), json: args.json, own: peer.id().clone() };
    show.ready(&args.dir, &peer).await?;
    loop {
        tokio::select! {
            event = events.next() => show.event(&event)?,
            () = stop.wished() => break,
        }
    }
    if !args.json {
        note("stopping; Ctrl-C again stops at once");
    }
    tokio::select! {
        () = peer.shutdown() => {}
        () = stop.wished() => {}
    }
    if args.json {
        show.output.json(&json!({ "event": "stopped" }))?;
    }
    Ok(())
}

/// Shows the owner what happens.
struct Show {
    output: Output,
    json: bool,
    own: PeerId,
}

impl Show {
    async fn ready(&mut self, dir: &Path, peer: &Peer) -> CommandResult {
        let addresses: Vec<_> = peer.addresses().await.iter().map(Multiaddr::to_string).collect();
        if self.json {
            let id = peer.id();
            let ready = json!({ "event": "ready", "peer_id": id, "addrs": addresses, "viewer": null });
            self.output.json(&ready)?;
        } else {
            self.output.line(&format!("The peer {} is up.", dir.display()))?;
            self.output.line(&format!("  id       {}", peer.id()))?;
            for address in &addresses {
                self.output.line(&format!("  address  {address}"))?;
            }
            match peer.engine() {
                Some(engine) => self.scripts(&engine.commands(), engine.functions().len())?,
                None => self.output.line("  scripts  off; lua.enabled in goop.json switches them on")?,
            }
        }
        for event in peer.scripts_at_start() {
            // People have read the count above; what they need now is what is wrong.
            if self.json || matches!(event, ScriptEvent::Rejected { .. }) {
                self.event(&PeerEvent::Script(event.clone()))?;
            }
        }
        if !self.json {
            self.output.line("Ctrl-C stops it.")?;
        }
        Ok(())
    }

    fn scripts(&mut self, commands: &[String], functions: usize) -> CommandResult {
        let commands: Vec<_> = commands.iter().map(|name| format!("!{name}")).collect();
        let commands = if commands.is_empty() { "no commands".to_owned() } else { commands.join(" ") };
        Ok(self.output.line(&format!("  scripts  {commands}; {functions} data functions"))?)
    }

    fn event(&mut self, event: &PeerEvent) -> CommandResult {
        if self.json {
            return Ok(self.output.json(&as_json(event))?);
        }
        match event {
            PeerEvent::Script(ScriptEvent::Loaded { name }) => {
                let good = self.output.paint(Look::Good, "loaded");
                self.output.line(&format!("{good}  {name}.lua"))?;
            }
            PeerEvent::Script(ScriptEvent::Removed { name }) => {
                self.output.line(&format!("removed  {name}.lua"))?;
            }
            PeerEvent::Script(ScriptEvent::Rejected { problem, .. }) => {
                let bad = self.output.paint(Look::Bad, "not loaded");
                self.output.line(&format!("{bad}  {}", printable(problem)))?;
                self.output.line("            the last good version, if there was one, goes on answering")?;
            }
            PeerEvent::Message(message) => self.message(message)?,
            PeerEvent::Dialed { peer } => self.output.line(&format!("connected  {peer}"))?,
            PeerEvent::DialFailed { reason, .. } => {
                let bad = self.output.paint(Look::Bad, "not connected");
                self.output.line(&format!("{bad}  {}", printable(reason)))?;
            }
        }
        Ok(())
    }

    fn message(&mut self, message: &Message) -> CommandResult {
        let text = one_line(&message.content, MAX_SHOWN_CHARS);
        let line = if message.from == self.own {
            format!("{} > {text}", self.output.paint(Look::Quiet, &format!("to {}", message.to)))
        } else {
            format!("{} < {text}", self.output.paint(Look::Quiet, &format!("from {}", message.from)))
        };
        Ok(self.output.line(&line)?)
    }
}

fn as_json(event: &PeerEvent) -> Value {
    match event {
        PeerEvent::Script(ScriptEvent::Loaded { name }) => {
            json!({ "event": "script-loaded", "script": name })
        }
        PeerEvent::Script(ScriptEvent::Removed { name }) => {
            json!({ "event": "script-removed", "script": name })
        }
        PeerEvent::Script(ScriptEvent::Rejected { file, problem }) => {
            json!({ "event": "script-rejected", "file": file, "problem": problem })
        }
        PeerEvent::Message(message) => json!({
            "event": "message",
            "id": message.id,
            "from": message.from,
            "to": message.to,
            "type": message.kind,
            "content": message.content,
            "timestamp": message.timestamp,
        }),
        PeerEvent::Dialed { peer } => json!({ "event": "connected", "peer_id": peer }),
        PeerEvent::DialFailed { address, reason } => {
            json!({ "event": "not-connected", "addr": address.to_string(), "reason": reason })
        }
    }
}
