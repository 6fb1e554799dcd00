//! `goop2 peer`: runs a peer until its owner stops it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use futures::FutureExt;
use goop2::chat::Message;
use goop2::p2p::{PresenceEvent, PresentPeer};
use goop2::peer::{Feed, Peer, PeerError, PeerEvent, PeerOptions};
use goop2::peer_id::PeerId;
use goop2::printable::json_written_out;
use goop2::script::{InvocationReport, ScriptEvent, ScriptStats};
use libp2p::Multiaddr;
use serde_json::{Value, json};

use super::address::{PeerAddress, listen_address};
use super::background::BackgroundLines;
use super::failure::{CommandResult, Failure};
use super::output::{Look, Output, note, one_line, printable};
use super::stop::Stop;

/// How much of a message is shown, in characters; --json has all of it.
const MAX_SHOWN_CHARS: usize = 200;

/// How often the counters of the scripts are told, if they have changed.
const STATS_EVERY: Duration = Duration::from_secs(60);

/// Runs the peer of a folder until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 peer quiz\n  goop2 peer quiz --listen /ip4/127.0.0.1/tcp/0 --json")]
pub(crate) struct Args {
    /// The peer folder; `goop2 new` makes one
    dir: PathBuf,

    /// Listen here, in place of every interface at the port p2p.listen_port; can be given several times
    #[arg(long, value_name = "MULTIADDR", value_parser = listen_address)]
    listen: Vec<Multiaddr>,

    /// Stay connected to this peer, an address that ends in /p2p/ID; can be given several times
    #[arg(long, value_name = "MULTIADDR")]
    dial: Vec<PeerAddress>,

    /// Where to serve the viewer
    #[arg(long, value_name = "ADDR")]
    viewer: Option<String>,

    /// Serve no viewer
    #[arg(long, conflicts_with = "viewer")]
    no_viewer: bool,

    /// Print one JSON event per line; the first is {"event": "ready", "peer_id", "addrs", "viewer"},
    /// {"event": "left-out", "lines"} stands where they came too fast or were read too slowly, and the counters
    /// of the scripts come each minute in which they changed, and at the end, as {"event": "script-stats", "scripts"}
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
    let mut show = Show::new(args.json, peer.id().clone());
    show.ready(&args.dir, &peer).await;
    let engine = peer.engine().cloned();
    let mut told = Vec::new();
    let mut minute = tokio::time::interval(STATS_EVERY);
    loop {
        tokio::select! {
            event = events.next() => show.event(&event),
            _ = minute.tick(), if args.json => {
                // A peer that is killed has no last word.
                if let Some(event) = engine.as_ref().and_then(|engine| changed_stats(&mut told, engine.stats())) {
                    show.say_json(&event);
                }
            }
            () = stop.wished() => break,
        }
    }
    if !args.json {
        // Nobody may be reading, and then this would wait for ever.
        std::thread::spawn(|| note("stopping; Ctrl-C again stops at once"));
    }
    tokio::select! {
        () = peer.shutdown() => {}
        () = stop.wished() => {}
    }
    if args.json {
        // What ended while the peer stopped comes before the sum of all.
        while let Some(event) = events.next().now_or_never() {
            show.event(&event);
        }
        if let Some(engine) = engine {
            show.say_json(&json!({ "event": "script-stats", "scripts": engine.stats() }));
        }
        show.say_json(&json!({ "event": "stopped" }));
    }
    show.lines.finish();
    Ok(())
}

/// The counters as an event, unless they are as they were when last told.
fn changed_stats(told: &mut Vec<ScriptStats>, now: Vec<ScriptStats>) -> Option<Value> {
    if *told == now {
        return None;
    }
    *told = now;
    Some(json!({ "event": "script-stats", "scripts": told }))
}

/// Shows the owner what happens.
struct Show {
    // For its colours; what is written goes through `lines`.
    look: Output,
    lines: BackgroundLines,
    json: bool,
    own: PeerId,
}

impl Show {
    fn new(json: bool, own: PeerId) -> Self {
        let mut output = Output::stdout();
        let write = move |line: &str| {
            // A peer goes on when its owner's disk is full, or nobody reads.
            let _ = output.line(line);
        };
        let say_left_out = if json {
            |lines| {
                log_left_out(lines);
                left_out(lines).to_string()
            }
        } else {
            |lines| {
                log_left_out(lines);
                format!("left out  {lines} lines, because they were read too slowly")
            }
        };
        Self { look: Output::stdout(), lines: BackgroundLines::start(write, say_left_out), json, own }
    }

    fn say(&mut self, line: impl Into<String>) {
        self.lines.write(line.into());
    }

    fn say_json(&mut self, event: &Value) {
        self.say(json_written_out(&event.to_string()));
    }

    async fn ready(&mut self, dir: &Path, peer: &Peer) {
        let addresses: Vec<_> = peer.addresses().await.iter().map(Multiaddr::to_string).collect();
        if self.json {
            let id = peer.id();
            let ready = json!({ "event": "ready", "peer_id": id, "addrs": addresses, "viewer": null });
            self.say_json(&ready);
        } else {
            self.say(format!("The peer {} is up.", dir.display()));
            self.say(format!("  id       {}", peer.id()));
            for address in &addresses {
                self.say(format!("  address  {address}"));
            }
            match peer.engine() {
                Some(engine) => self.scripts(&engine.commands(), engine.functions().len()),
                None => self.say("  scripts  off; lua.enabled in goop.json switches them on"),
            }
        }
        for event in peer.scripts_at_start() {
            // People have read the count above; what they need now is what is wrong.
            if self.json || matches!(event, ScriptEvent::Rejected { .. }) {
                self.event(&PeerEvent::Script(event.clone()));
            }
        }
        if !self.json {
            self.say("Ctrl-C stops it.");
        }
    }

    fn scripts(&mut self, commands: &[String], functions: usize) {
        let commands: Vec<_> = commands.iter().map(|name| format!("!{name}")).collect();
        let commands = if commands.is_empty() { "no commands".to_owned() } else { commands.join(" ") };
        let functions = match functions {
            1 => "1 data function".to_owned(),
            count => format!("{count} data functions"),
        };
        self.say(format!("  scripts  {commands}; {functions}"));
    }

    fn event(&mut self, event: &PeerEvent) {
        match event {
            // Of invocations a person is shown nothing, and so misses nothing.
            PeerEvent::Missed { feed: Feed::Invocations, .. } if !self.json => {}
            // Not a line like others: it must count even if there is no room for it.
            PeerEvent::Missed { count, .. } => self.lines.leave_out(*count),
            event if self.json => self.say_json(&as_json(event)),
            PeerEvent::Script(ScriptEvent::Loaded { name }) => {
                self.say(format!("{}  {name}.lua", self.look.paint(Look::Good, "loaded")));
            }
            PeerEvent::Script(ScriptEvent::Removed { name }) => self.say(format!("removed  {name}.lua")),
            PeerEvent::Script(ScriptEvent::Rejected { problem, .. }) => {
                self.say(format!("{}  {}", self.look.paint(Look::Bad, "not loaded"), printable(problem)));
                self.say("            the last good version, if there was one, goes on answering");
            }
            PeerEvent::Message(message) => self.message(message),
            // Its command and reply are shown as messages, its failure in the log.
            PeerEvent::Invocation(_) => {}
            PeerEvent::Presence(event) => self.presence(event),
            PeerEvent::Reachable { address } => self.say(format!("  address  {address}")),
            PeerEvent::Dialed { peer } => self.say(format!("connected  {peer}")),
            PeerEvent::DialFailed { reason, .. } => {
                self.say(format!("{}  {}", self.look.paint(Look::Bad, "not connected"), printable(reason)));
            }
        }
    }

    fn presence(&mut self, event: &PresenceEvent) {
        let (word, present) = match event {
            PresenceEvent::Online(present) => ("online", present),
            PresenceEvent::Update(present) => ("renamed", present),
            PresenceEvent::Offline(present) => ("offline", present),
        };
        let label = one_line(&present.label, MAX_SHOWN_CHARS);
        let line = format!("{word}  {}  {label}", present.peer);
        self.say(line.trim_end());
    }

    fn message(&mut self, message: &Message) {
        let text = one_line(&message.content, MAX_SHOWN_CHARS);
        let (mark, who) = if message.from == self.own {
            (">", format!("to {}", one_line(&message.to, MAX_SHOWN_CHARS)))
        } else {
            ("<", format!("from {}", message.from))
        };
        self.say(format!("{} {mark} {text}", self.look.paint(Look::Quiet, &who)));
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
        PeerEvent::Invocation(report) => invocation(report),
        PeerEvent::Message(message) => json!({
            "event": "message",
            "id": message.id,
            "from": message.from,
            "to": message.to,
            "type": message.kind,
            "content": message.content,
            "timestamp": message.timestamp,
            "site_id": message.site_id,
        }),
        PeerEvent::Presence(PresenceEvent::Online(present)) => presence("online", present),
        PeerEvent::Presence(PresenceEvent::Update(present)) => presence("update", present),
        PeerEvent::Presence(PresenceEvent::Offline(present)) => presence("offline", present),
        PeerEvent::Reachable { address } => json!({ "event": "address", "addr": address.to_string() }),
        PeerEvent::Dialed { peer } => json!({ "event": "connected", "peer_id": peer }),
        PeerEvent::DialFailed { address, reason } => {
            json!({ "event": "not-connected", "addr": address.to_string(), "reason": reason })
        }
        PeerEvent::Missed { count, .. } => left_out(*count),
    }
}

fn log_left_out(lines: u64) {
    tracing::warn!(lines, "stdout is read too slowly; lines were left out");
}

fn left_out(lines: u64) -> Value {
    json!({ "event": "left-out", "lines": lines })
}

fn invocation(report: &InvocationReport) -> Value {
    let error = report.error.as_ref().map(|error| json!({ "kind": error.kind, "message": error.message }));
    json!({
        "event": "invocation",
        "script": report.script,
        "interface": if report.is_function { "data" } else { "chat" },
        "caller": report.caller,
        "ref": report.reference,
        "ok": error.is_none(),
        "error": error,
        "wall_ms": report.stats.wall.as_secs_f64() * 1_000.0,
        "fuel": report.stats.fuel,
        "peak_memory_bytes": report.stats.peak_memory_bytes,
    })
}

fn presence(event: &str, present: &PresentPeer) -> Value {
    json!({ "event": event, "peer_id": present.peer, "label": present.label })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_told_when_they_have_changed() {
        let stats = |rate_limited| {
            vec![ScriptStats {
                script: "a".to_owned(),
                calls: 1,
                failures: Default::default(),
                rate_limited,
                busy: 0,
                p50_us: 1,
                p99_us: 1,
                fuel: 1,
                peak_memory_bytes: 1,
                last_error: None,
            }]
        };
        let mut told = Vec::new();
        assert_eq!(changed_stats(&mut told, Vec::new()), None);
        let event = changed_stats(&mut told, stats(0)).unwrap();
        assert_eq!((&event["event"], &event["scripts"][0]["script"]), (&json!("script-stats"), &json!("a")));
        assert_eq!(changed_stats(&mut told, stats(0)), None);
        assert_eq!(changed_stats(&mut told, stats(3)).unwrap()["scripts"][0]["rate_limited"], 3);
    }
}
