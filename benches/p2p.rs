//! What the network costs, on this machine's loopback: `cargo bench --bench p2p`.
//!
//! A plain program that prints one figure per line, beside the bound that it is held to, and exits
//! with 1 when one is not kept. The peer is the built program in a process of its own, so that its
//! memory is its own; visitors are nodes of this process. Rejected: criterion, which measures one
//! thing many times, where most of this is many things at once.
//!
//! `cargo bench --bench p2p -- crowd` runs the measurements whose name contains `crowd`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a measuring program fails by panicking, and says what it measured"
)]

use std::future::poll_fn;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use goop2::p2p::{Node, NodeConfig, NodeHandle};
use goop2::peer_id::PeerId;
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt};
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, PortUse, Transport, TransportEvent};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, noise, tcp, yamux};
use serde_json::{Value, json};

const FILE_BYTES: usize = 50 * 1024 * 1024;

/// The peer under measurement. Killed when dropped.
struct PeerProcess {
    child: Running,
    address: Multiaddr,
    ready_after: Duration,
    _dir: tempfile::TempDir,
}

impl PeerProcess {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let peer = dir.path().join("peer");
        let made = program().args(["new", peer.to_str().unwrap()]).stdout(Stdio::null()).status().unwrap();
        assert!(made.success());
        std::fs::create_dir_all(peer.join("site/lua")).unwrap();
        let script = "--- Does nothing\nfunction call(req) return 1 end\n";
        std::fs::write(peer.join("site/lua/nothing.lua"), script).unwrap();
        std::fs::write(peer.join("site/large.bin"), vec![7; FILE_BYTES]).unwrap();
        let config = json!({
            "p2p": { "mdns": false, "max_connections": 1200, "max_connections_per_address": 1200 },
            "lua": { "enabled": true, "rate_limit_per_peer": 1_000_000, "rate_limit_global": 1_000_000 },
        });
        std::fs::write(peer.join("goop.json"), config.to_string()).unwrap();
        // Once without being measured: the first start makes the key and the database.
        drop(Self::run(&peer));
        let (child, address, ready_after) = Self::run(&peer);
        Self { child, address, ready_after, _dir: dir }
    }

    fn run(peer: &Path) -> (Running, Multiaddr, Duration) {
        let start = Instant::now();
        let mut child = Running(
            program()
                .args(["peer", peer.to_str().unwrap(), "--json", "--listen", "/ip4/127.0.0.1/tcp/0"])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let ready: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let ready_after = start.elapsed();
        std::thread::spawn(move || lines.for_each(drop));
        (child, ready["addrs"][0].as_str().unwrap().parse().unwrap(), ready_after)
    }

    /// A field of `/proc/PID/status`, in bytes.
    fn memory(&self, field: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0
    }
}

/// A child that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> Command {
    let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_goop2")));
    command.env("GOOP2_LOG", "error").stdin(Stdio::null());
    command
}

struct Visitor {
    // Held for its connection.
    _node: Node,
    handle: NodeHandle,
    host: PeerId,
}

impl Visitor {
    async fn connect(address: &Multiaddr) -> Self {
        let node = Node::start(NodeConfig::new(Keypair::generate_ed25519())).unwrap();
        let handle = node.handle();
        let host = handle.dial(address.clone()).await.unwrap();
        Self { _node: node, handle, host }
    }

    async fn call(&self) {
        assert!(self.answers().await, "a call was refused");
    }

    /// Whether a call is answered; the peer may be too busy for it.
    async fn answers(&self) -> bool {
        let request = json!({ "op": "lua-call", "function": "nothing", "params": {} });
        let answer = self.handle.request_data(&self.host, &request).await;
        answer.is_ok_and(|answer| answer["result"] == 1)
    }

    /// A call of a function that is not there: the same way there and back, and no script.
    async fn exchange(&self) {
        let request = json!({ "op": "lua-call", "function": "absent", "params": {} });
        let answer = self.handle.request_data(&self.host, &request).await.unwrap();
        assert_eq!(answer["ok"], false, "{answer}");
    }
}

/// The figures so far.
#[derive(Default)]
struct Report {
    filter: String,
    failed: bool,
}

impl Report {
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    fn figure(&mut self, name: &str, value: f64, unit: &str, limit: f64, at_most: bool) {
        let kept = if at_most { value <= limit } else { value >= limit };
        self.failed |= !kept;
        let (sign, verdict) = (if at_most { "<=" } else { ">=" }, if kept { "ok" } else { "NOT KEPT" });
        println!("{name:34} {value:10.2} {unit:8} {sign} {limit:<8} {verdict}");
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A call and an empty exchange in turns, so that whatever else the machine does hits both.
async fn call(report: &mut Report, peer: &PeerProcess) {
    let visitor = Visitor::connect(&peer.address).await;
    let (mut calls, mut empty) = (Vec::new(), Vec::new());
    for round in 0..3000 {
        let start = Instant::now();
        visitor.exchange().await;
        let middle = Instant::now();
        visitor.call().await;
        if round >= 500 {
            empty.push(middle - start);
            calls.push(middle.elapsed());
        }
    }
    let (call, empty) = (median(calls), median(empty));
    println!("  an empty exchange takes {empty:?}, a call {call:?} (medians of 2500)");
    report.figure("call / empty exchange", call.as_secs_f64() / empty.as_secs_f64(), "", 1.3, true);
}

async fn throughput(report: &mut Report, peer: &PeerProcess) {
    let visitors = join_all((0..8).map(|_| Visitor::connect(&peer.address))).await;
    let end = Instant::now() + Duration::from_secs(5);
    // Four at a time each, as a page that loads would.
    let lanes = visitors.iter().flat_map(|visitor| [visitor; 4]).map(|visitor| async move {
        let mut calls = 0_u32;
        while Instant::now() < end {
            visitor.call().await;
            calls += 1;
        }
        calls
    });
    let calls: u32 = join_all(lanes).await.into_iter().sum();
    report.figure("calls a second, 8 visitors", f64::from(calls) / 5.0, "/s", 5000.0, false);
}

async fn file(report: &mut Report, peer: &PeerProcess) {
    raw_throughput().await;
    let mut raw = Vec::new();
    let mut site = Vec::new();
    let visitor = Visitor::connect(&peer.address).await;
    let before = peer.memory("VmRSS");
    for _ in 0..5 {
        raw.push(raw_throughput().await);
        let start = Instant::now();
        let (_, bytes) = visitor.handle.fetch_site(&visitor.host, "/large.bin").await.unwrap();
        assert_eq!(bytes.len(), FILE_BYTES);
        site.push(start.elapsed());
    }
    let (raw, site) = (median(raw), median(site));
    let extra = (peer.memory("VmHWM") - before) / 1e6;
    println!("  50 MiB take {site:?} as a file, {raw:?} over a bare stream (medians of 5)");
    report.figure("file / bare stream", raw.as_secs_f64() / site.as_secs_f64(), "", 0.6, false);
    report.figure("extra memory for a file", extra, "MB", 20.0, true);
}

type Muxed = Boxed<StreamMuxerBox>;

fn transport() -> Muxed {
    tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(&Keypair::generate_ed25519()).unwrap())
        .multiplex(yamux::Config::default())
        .map(|(_, muxer), _| StreamMuxerBox::new(muxer))
        .boxed()
}

/// How long 50 MiB take over a stream of libp2p with nothing above it.
async fn raw_throughput() -> Duration {
    let mut server = transport();
    server.listen_on(ListenerId::next(), "/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let address = match server.next().await.unwrap() {
        TransportEvent::NewAddress { listen_addr, .. } => listen_addr,
        other => panic!("{other:?}"),
    };
    let sending = tokio::spawn(async move {
        let upgrade = loop {
            if let Some((upgrade, _)) = server.next().await.unwrap().into_incoming() {
                break upgrade;
            }
        };
        let (accepting, serving) =
            (tokio::spawn(async move { while server.next().await.is_some() {} }), upgrade);
        let mut muxer = serving.await.unwrap();
        let mut stream = poll_fn(|cx| {
            let _ = muxer.poll_unpin(cx);
            muxer.poll_inbound_unpin(cx)
        })
        .await
        .unwrap();
        let driving = tokio::spawn(async move { poll_fn(|cx| muxer.poll_unpin(cx)).await.map(drop) });
        let piece = vec![7; 64 * 1024];
        for _ in 0..FILE_BYTES / piece.len() {
            stream.write_all(&piece).await.unwrap();
        }
        stream.close().await.unwrap();
        let _ = driving.await;
        accepting.abort();
    });
    let opts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
    let mut client = transport();
    let mut muxer = client.dial(address, opts).unwrap().await.unwrap();
    let mut stream = poll_fn(|cx| {
        let _ = muxer.poll_unpin(cx);
        muxer.poll_outbound_unpin(cx)
    })
    .await
    .unwrap();
    let driving = tokio::spawn(async move { poll_fn(|cx| muxer.poll_unpin(cx)).await.map(drop) });
    let start = Instant::now();
    stream.write_all(b"x").await.unwrap();
    stream.flush().await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes.len(), FILE_BYTES);
    let took = start.elapsed();
    driving.abort();
    sending.abort();
    took
}

/// A thousand visitors that each call once a second for a minute.
async fn crowd(report: &mut Report, peer: &PeerProcess) {
    const VISITORS: u32 = 1000;
    let mut visitors = Vec::new();
    for _ in 0..VISITORS {
        visitors.push(Visitor::connect(&peer.address).await);
    }
    println!("  the peer has {:.0} MB with {VISITORS} connections", peer.memory("VmRSS") / 1e6);
    let start = tokio::time::Instant::now();
    let lanes = visitors.into_iter().zip(0_u32..).map(|(visitor, number)| {
        tokio::spawn(async move {
            let mut times = Vec::new();
            for second in 0..60 {
                // Spread over the second, as visitors are.
                let offset = Duration::from_secs(1) * number / VISITORS;
                tokio::time::sleep_until(start + offset + Duration::from_secs(second)).await;
                let begun = Instant::now();
                if visitor.answers().await {
                    times.push(begun.elapsed());
                }
            }
            times
        })
    });
    let mut times: Vec<_> = join_all(lanes).await.into_iter().flat_map(Result::unwrap).collect();
    times.sort();
    let percentile = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e3;
    println!("  {} calls answered, median {:.2} ms", times.len(), percentile(50));
    let refused = f64::from(VISITORS * 60) - times.len() as f64;
    report.figure("calls not answered", refused, "", 0.0, true);
    report.figure("p99 of 1000 visitors", percentile(99), "ms", 50.0, true);
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let mut report = Report { filter, failed: false };
    let peer = PeerProcess::start();
    if report.wants("idle") {
        report.figure("ready after the start", peer.ready_after.as_secs_f64() * 1e3, "ms", 200.0, true);
        report.figure("memory of an idle peer", peer.memory("VmRSS") / 1e6, "MB", 30.0, true);
    }
    if report.wants("file") {
        file(&mut report, &peer).await;
    }
    if report.wants("call") {
        call(&mut report, &peer).await;
    }
    if report.wants("throughput") {
        throughput(&mut report, &peer).await;
    }
    if report.wants("crowd") {
        crowd(&mut report, &peer).await;
    }
    if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
