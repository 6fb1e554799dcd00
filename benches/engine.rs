//! What the engine costs and how long it makes people wait: `cargo bench --bench engine`.
//!
//! One call after another is criterion's to measure. Calls a second, waiting beside busy scripts, and the
//! time from a save to the new answer are distributions under load, which it is not made for: those are
//! measured by plain loops and printed as a table with their goals. `cargo bench --bench engine -- table`
//! prints the table alone.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench is a program of its own: it prints its table and stops at what it can't measure"
)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use criterion::Criterion;
use goop2::config::LuaConfig;
use goop2::peer_id::PeerId;
use goop2::script::{Caller, DirectSender, Engine, Runner, ScriptEvent, SendFuture, Surroundings};
use goop2::vm::{Entry, Limits};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const SCRIPTS: [(&str, &str); 6] = [
    ("ping.lua", "function handle(args) return 'pong ' .. args end"),
    ("who.lua", "function handle(args) return goop.peer.id .. goop.self.id end"),
    ("held.lua", "local me = goop.self function handle(args) return goop.peer.id .. me.id end"),
    (
        "count.lua",
        "function handle() goop.kv.set('n', tostring((tonumber(goop.kv.get('n')) or 0) + 1)) return 'x' end",
    ),
    ("read.lua", "function handle() return goop.kv.get('n') or 'none' end"),
    (
        "spin.lua",
        "function handle() while true do end end\nfunction call(request) return request.params.n + 1 end",
    ),
];

/// Counts the replies and keeps none.
#[derive(Default)]
struct Count(AtomicUsize);

impl DirectSender for Count {
    fn send_direct<'a>(&'a self, _: &'a PeerId, content: String) -> SendFuture<'a> {
        black_box(content);
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }
}

fn caller(name: &str) -> Caller {
    Caller { peer: PeerId::parse(name).unwrap(), label: "somebody".to_owned() }
}

fn write(dir: &Path, file: &str, source: &str) {
    let scripts = dir.join("site/lua");
    fs::create_dir_all(&scripts).unwrap();
    fs::write(scripts.join(file), source).unwrap();
}

/// An engine with the limits in force, and set so high that none is met.
fn engine() -> (TempDir, Arc<Engine>) {
    let dir = tempfile::tempdir().unwrap();
    for (file, source) in SCRIPTS {
        write(dir.path(), file, source);
    }
    let config =
        LuaConfig { rate_limit_per_peer: u32::MAX, rate_limit_global: u32::MAX, ..LuaConfig::default() };
    let engine = Arc::new(Engine::new(config, dir.path(), caller("Host")).unwrap());
    (dir, engine)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() - 1) * percent / 100]
}

/// Calls a second of `!ping`, by so many callers who each wait for their reply.
async fn throughput(engine: &Arc<Engine>, callers: usize, time: Duration) -> f64 {
    let (count, stop) = (Arc::new(Count::default()), Arc::new(AtomicBool::new(false)));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (engine, count, stop) = (engine.clone(), count.clone(), stop.clone());
        tasks.spawn(async move {
            let ann = caller("Ann");
            while !stop.load(Ordering::Relaxed) {
                engine.dispatch(&ann, "!ping x", &*count).await;
            }
        });
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;
    count.0.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

/// The waits for `!ping` while so many scripts spin until their deadline.
async fn beside_spinning(engine: &Arc<Engine>, spinning: usize) -> Vec<Duration> {
    let ended = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..spinning {
        let (engine, ended) = (engine.clone(), ended.clone());
        tasks.spawn(async move {
            engine.dispatch(&caller("Bob"), "!spin", &Count::default()).await;
            ended.fetch_add(1, Ordering::Relaxed);
        });
    }
    let (ann, count) = (caller("Ann"), Count::default());
    let mut waits = Vec::new();
    tokio::time::sleep(Duration::from_millis(200)).await;
    while ended.load(Ordering::Relaxed) == 0 {
        let asked = Instant::now();
        engine.dispatch(&ann, "!ping", &count).await;
        waits.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tasks.join_all().await;
    waits
}

/// The times from a save to the event that the new version is in force.
async fn save_to_live(engine: &Arc<Engine>, dir: &Path, saves: usize) -> Vec<Duration> {
    let mut events = engine.events();
    let mut times = Vec::new();
    for n in 0..saves {
        let source = format!("function handle() return '{n}' end");
        let saved = Instant::now();
        write(dir, "saved.lua", &source);
        while !matches!(events.recv().await.unwrap(), ScriptEvent::Loaded { name } if name == "saved") {}
        times.push(saved.elapsed());
    }
    times
}

fn table(runtime: &Runtime) {
    let (dir, engine) = engine();
    println!("{:<52} {:>14}   goal", "measured", "found");
    let row = |what: &str, found: String, goal: &str| println!("{what:<52} {found:>14}   {goal}");
    let millis = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1_000.0);
    let calls = runtime.block_on(throughput(&engine, 64, Duration::from_secs(5)));
    row("!ping by 64 callers, calls a second", format!("{calls:.0}"), ">= 60000 on 2 cores");
    // As many as cores: what the system's scheduler alone makes a caller wait.
    let mut waits = runtime.block_on(beside_spinning(&engine, 2));
    row("!ping beside 2 spinning scripts, p99", millis(percentile(&mut waits, 99)), "");
    let mut waits = runtime.block_on(beside_spinning(&engine, 100));
    row("!ping beside 100 spinning scripts, p50", millis(percentile(&mut waits, 50)), "");
    row("!ping beside 100 spinning scripts, p99", millis(percentile(&mut waits, 99)), "<= 30 ms");
    let mut times = runtime.block_on(save_to_live(&engine, dir.path(), 50));
    row("a save until it is live, p50", millis(percentile(&mut times, 50)), "");
    row("a save until it is live, p95", millis(percentile(&mut times, 95)), "<= 100 ms");
    runtime.block_on(engine.close());
}

/// A fresh VM, the main chunk, `handle` and the drop, on this thread and without what surrounds a script.
fn alone(criterion: &mut Criterion) {
    for file in ["ping.lua", "who.lua", "held.lua"] {
        let (_, source) = SCRIPTS.iter().find(|(name, _)| *name == file).unwrap();
        let surroundings = Surroundings {
            kv_enabled: true,
            #[cfg(feature = "http")]
            http: None,
            caller: caller("Ann"),
            own: caller("Host"),
            peer_dir: None,
            script_dir: None,
            commands: Vec::new(),
            limits: Limits::default(),
        };
        let runner = Runner::load(Path::new(file), source.as_bytes(), surroundings).unwrap();
        criterion.bench_function(&format!("run {file} in a fresh VM"), |bencher| {
            bencher.iter(|| runner.run(Entry::Handle("hello".to_owned())));
        });
    }
}

fn one_after_another(runtime: &Runtime, criterion: &mut Criterion) {
    let (_dir, engine) = engine();
    let (ann, count) = (caller("Ann"), Count::default());
    for (name, text) in [
        ("dispatch a small command", "!ping x"),
        ("dispatch one that reads goop.peer.id", "!who"),
        ("dispatch one that holds goop.self", "!held"),
        ("dispatch one that reads goop.kv", "!read"),
        ("dispatch one that writes goop.kv", "!count"),
        ("answer an unknown command", "!pong x"),
    ] {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(engine.dispatch(&ann, text, &count)));
        });
    }
    criterion.bench_function("call a small data function", |bencher| {
        bencher.iter(|| runtime.block_on(engine.call(&ann, "spin", json!({ "n": 1 }))).unwrap());
    });
    runtime.block_on(engine.close());
}

fn main() {
    let runtime = runtime();
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let only_table = asked.iter().any(|word| word == "table");
    // `cargo test --benches` runs benches to see that they work.
    if asked.iter().any(|word| word == "--test") {
        return;
    }
    if !only_table {
        let mut criterion = Criterion::default().configure_from_args();
        alone(&mut criterion);
        one_after_another(&runtime, &mut criterion);
        criterion.final_summary();
    }
    table(&runtime);
}
