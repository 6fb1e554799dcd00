//! What the engine costs and how long it makes people wait: `cargo bench --bench engine`.
//!
//! One call after another is criterion's to measure. Calls a second, waiting beside busy scripts, and the
//! time from a save to the new answer are distributions under load, which it is not made for: those are
//! measured by plain loops and printed as a table with their goals. `cargo bench --bench engine -- table`
//! prints the table alone.

#![allow(
    missing_docs,
    unreachable_pub,
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
use tokio::sync::{mpsc, oneshot};

#[cfg(feature = "http")]
mod slow_server;

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

/// A thread that answers at once, as far from its caller as a worker is: what the channel and the system's scheduler
/// alone make a caller wait. Two idle cores wake each other in some 50 µs where one thread needs 5.
fn start_echo() -> mpsc::UnboundedSender<oneshot::Sender<()>> {
    let (jobs, mut queue) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            while let Some(answer) = queue.recv().await {
                let _ = answer.send(());
            }
        });
    });
    jobs
}

/// The times of one `!ping` after another and of bare exchanges with a thread, in turns, so that what else the
/// machine does and where the scheduler puts the threads falls on both.
async fn beside_bare_exchanges(engine: &Engine) -> (Vec<Duration>, Vec<Duration>) {
    const TURNS: usize = 200;
    const BATCH: u32 = 100;
    let (echo, ann, count) = (start_echo(), caller("Ann"), Count::default());
    let (mut dispatched, mut exchanged) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let start = Instant::now();
        for _ in 0..BATCH {
            engine.dispatch(&ann, "!ping x", &count).await;
        }
        dispatched.push(start.elapsed() / BATCH);
        let start = Instant::now();
        for _ in 0..BATCH {
            let (answer, answered) = oneshot::channel();
            echo.send(answer).unwrap();
            answered.await.unwrap();
        }
        exchanged.push(start.elapsed() / BATCH);
    }
    (dispatched, exchanged)
}

/// So many scripts wait for a slow server at once: what each holds, and what `!ping` waits meanwhile.
#[cfg(feature = "http")]
async fn waiting_for_http(scripts: usize) -> (f64, Vec<Duration>) {
    use goop2::script::{HttpClient, Network};
    let mut server = slow_server::SlowServer::start(scripts);
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://slow.test:{}/", server.address.port());
    let fetch = format!("function handle() return tostring(goop.http.get('{url}')) end");
    write(dir.path(), "fetch.lua", &fetch);
    write(dir.path(), "ping.lua", SCRIPTS[0].1);
    let config = LuaConfig {
        rate_limit_per_peer: u32::MAX,
        rate_limit_global: u32::MAX,
        timeout_seconds: 60,
        // They come all at once, and are all of one script, which has three quarters of it.
        max_waiting: 2 * scripts,
        ..LuaConfig::default()
    };
    let network = Network::public().with_host("slow.test", &[server.address]).with_exception(server.address);
    let engine = Engine::new(config, dir.path(), caller("Host")).unwrap();
    let engine = Arc::new(engine.with_http(HttpClient::on(network)));
    let (ann, count) = (caller("Ann"), Count::default());
    engine.dispatch(&ann, "!ping", &count).await;
    let before = resident_bytes();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..scripts {
        let engine = engine.clone();
        tasks.spawn(async move {
            let replies = Replies::default();
            engine.dispatch(&caller("Bob"), "!fetch", &replies).await;
            replies.0.into_inner().unwrap()
        });
    }
    let mut server = tokio::task::spawn_blocking(move || {
        server.all_wait();
        server
    })
    .await
    .unwrap();
    let each = (resident_bytes() - before) / scripts as f64;
    let mut waits = Vec::new();
    for _ in 0..200 {
        let asked = Instant::now();
        engine.dispatch(&ann, "!ping", &count).await;
        waits.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.answer();
    let replies = tasks.join_all().await;
    let fine = replies.iter().filter(|replies| **replies == ["200"]).count();
    assert_eq!(
        fine,
        scripts,
        "not all were answered: {:?}",
        replies.iter().find(|replies| **replies != ["200"])
    );
    engine.close().await;
    (each, waits)
}

/// Keeps the replies.
#[cfg(feature = "http")]
#[derive(Default)]
struct Replies(std::sync::Mutex<Vec<String>>);

#[cfg(feature = "http")]
impl DirectSender for Replies {
    fn send_direct<'a>(&'a self, _: &'a PeerId, content: String) -> SendFuture<'a> {
        self.0.lock().unwrap().push(content);
        Box::pin(async { Ok(()) })
    }
}

/// The memory of this process, as the system counts it.
#[cfg(feature = "http")]
fn resident_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) * 1024.0
}

fn row(what: &str, found: String, goal: &str) {
    println!("{what:<52} {found:>14}   {goal}");
}

fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

fn micros(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1_000_000.0)
}

fn table(runtime: &Runtime) {
    let (dir, engine) = engine();
    println!("{:<52} {:>14}   goal", "measured", "found");
    let (mut dispatched, mut exchanged) = runtime.block_on(beside_bare_exchanges(&engine));
    let (ping, bare) = (percentile(&mut dispatched, 50), percentile(&mut exchanged, 50));
    row("one !ping after another, median", micros(ping), "<= 25 µs");
    row("a bare exchange between two threads in between", micros(bare), "");
    row("the least of either", format!("{} {}", micros(dispatched[0]), micros(exchanged[0])), "");
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
    #[cfg(feature = "http")]
    {
        const WAITING: usize = 10_000;
        let (each, mut waits) = runtime.block_on(waiting_for_http(WAITING));
        row("10,000 scripts wait for HTTP: memory of each", format!("{:.1} KB", each / 1e3), "bounded");
        row("!ping beside them, p99", millis(percentile(&mut waits, 99)), "<= 30 ms");
    }
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
    #[cfg(feature = "http")]
    if let [argument, expected] = &*asked
        && argument == slow_server::ARGUMENT
    {
        return runtime.block_on(slow_server::serve(expected.parse().unwrap()));
    }
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
