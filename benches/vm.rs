//! How fast the interpreter is: `cargo bench --no-default-features --bench vm [fresh] [PROGRAM…]`, or `just bench`.
//!
//! Two questions. What does one small invocation cost from nothing to nothing? And how fast do programs run
//! beside the same VM with its own standard library and no limits: what do the sandbox's checks, its natives
//! and the marks of where it is cost?
//!
//! A ratio of two runs in one process says more than times, which depend on the machine. The runs are
//! interleaved and the best of each counts, so that what else the machine does falls on both or on neither.
//! A framework for benches would compare with the figures of an earlier build, which is another question.
//! Every run's result is compared too: a fast wrong answer is no figure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints its figures and fails by panicking"
)]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use goop2::vm::{Entry, Limits, Machine, Outcome, Program};
use piccolo::{Closure, Executor, Function, Lua, StashedExecutor, Value};

/// Runs of each program on each VM.
const ROUNDS: usize = 15;

/// What is wanted: at least this part of the speed of the VM with its own library,
const WANTED_SPEED: f64 = 0.8;
/// sorting, with a comparator and without, at least so many times its speed,
const WANTED_SORT_SPEED: f64 = 3.0;
/// and one small invocation in at most this time.
const WANTED_FRESH: Duration = Duration::from_micros(6);

/// The time is not what is measured here, so it must not end a run.
const LIMITS: Limits = Limits { time: Duration::from_secs(600), memory_bytes: 10 * 1024 * 1024 };

/// A small command of the usual kind: takes text apart and makes some.
const SMALL: &str = "
function handle(args)
    local name = args:match('^%s*(.-)%s*$')
    if name == '' then name = 'stranger' end
    return 'Hello, ' .. name:sub(1, 1):upper() .. name:sub(2) .. '! You wrote ' .. #args .. ' bytes.'
end
";

fn main() {
    // Cargo adds flags of its own, such as `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    if wanted.is_empty() || wanted.iter().any(|name| name == "fresh") {
        fresh_invocations();
    }
    programs(&wanted);
}

// ---- (a) one invocation

fn fresh_invocations() {
    const BATCH: u32 = 2_000;
    const BATCHES: usize = 15;
    let program = Program::compile("small.lua", SMALL.as_bytes()).unwrap();
    let invocation = || {
        let entry = Entry::Handle("  quince ".to_owned());
        let mut machine = Machine::new(&program, entry, LIMITS, |_| {}).unwrap();
        machine.run(|_| unreachable!("nothing here waits")).unwrap()
    };
    assert_eq!(invocation(), Outcome::Reply(Some(b"Hello, Quince! You wrote 9 bytes.".to_vec())));
    let mut means: Vec<Duration> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BATCH {
                black_box(invocation());
            }
            start.elapsed() / BATCH
        })
        .collect();
    means.sort();
    println!("A fresh VM with a small handle: built, loaded, run, dropped");
    println!(
        "  mean of {BATCH}: best {:?}, median {:?}; wanted: at most {WANTED_FRESH:?} {}\n",
        means[0],
        means[BATCHES / 2],
        verdict(means[0] <= WANTED_FRESH)
    );
}

// ---- (b) programs

fn programs(wanted: &[String]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/programs");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    println!("Programs, best of {ROUNDS}, in ms; the speed is that of ours as a part of the plain VM's");
    println!("  {:<18} {:>8} {:>8} {:>8} {:>8}", "program", "ours", "plain VM", "lua5.1", "speed");
    let mut logs = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let (ours, plain) = race(&name, &source);
        let reference = reference_time(&source).map_or("-".to_owned(), millis);
        let speed = plain.as_secs_f64() / ours.as_secs_f64();
        logs.push(speed.ln());
        let least = if name.starts_with("sort") { WANTED_SORT_SPEED } else { WANTED_SPEED };
        let (ours, plain) = (millis(ours), millis(plain));
        println!("  {name:<18} {ours:>8} {plain:>8} {reference:>8} {speed:>8.2} {}", verdict(speed >= least));
    }
    let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
    println!("  {:<18} {:>8} {:>8} {:>8} {mean:>8.2}", "geometric mean", "", "", "");
    println!("  wanted: at least {WANTED_SPEED}; sort at least {WANTED_SORT_SPEED}");
}

/// The best time of `source` in ours and in the plain VM.
fn race(name: &str, source: &str) -> (Duration, Duration) {
    let program = Program::compile(&format!("{name}.lua"), source.as_bytes()).unwrap();
    let (mut ours, mut plain) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let (time, our_result) = run_ours(&program);
        ours = ours.min(time);
        let (time, plain_result) = run_plain(name, source);
        plain = plain.min(time);
        assert_eq!(our_result, plain_result, "{name}: the results differ");
    }
    (ours, plain)
}

fn run_ours(program: &Program) -> (Duration, String) {
    let mut machine = Machine::new(program, Entry::Handle(String::new()), LIMITS, |_| {}).unwrap();
    let start = Instant::now();
    let outcome = machine.run(|_| unreachable!("nothing here waits"));
    let time = start.elapsed();
    match outcome {
        Ok(Outcome::Reply(Some(reply))) => (time, String::from_utf8(reply).unwrap()),
        other => panic!("{}: {other:?}", program.name()),
    }
}

/// The same in the VM as published, with its own library and nothing that bounds it.
fn run_plain(name: &str, source: &str) -> (Duration, String) {
    let mut lua = Lua::core();
    let chunk = lua
        .try_enter(|ctx| {
            let closure = Closure::load(ctx, Some(name), source.as_bytes())?;
            Ok(ctx.stash(Executor::start(ctx, closure.into(), ())))
        })
        .unwrap();
    let start = Instant::now();
    lua.execute::<()>(&chunk).unwrap();
    let handle: StashedExecutor = lua
        .try_enter(|ctx| {
            let handle: Function<'_> = ctx.get_global("handle")?;
            Ok(ctx.stash(Executor::start(ctx, handle, ())))
        })
        .unwrap();
    lua.finish(&handle).unwrap();
    let time = start.elapsed();
    let result = lua
        .try_enter(|ctx| {
            let value = ctx.fetch(&handle).take_result::<Value<'_>>(ctx)??;
            Ok(match value {
                Value::Integer(n) => n.to_string(),
                Value::Number(n) if n == n.trunc() => format!("{n:.0}"),
                other => other.display().to_string(),
            })
        })
        .unwrap();
    (time, result)
}

/// The best time of the reference interpreter, for orientation; it measures itself, in steps of a
/// microsecond of processor time.
fn reference_time(source: &str) -> Option<Duration> {
    let timed = format!(
        "{source}\nlocal best = math.huge for _ = 1, 5 do
            local start = os.clock() handle() best = math.min(best, os.clock() - start)
        end io.write(string.format('%.6f', best))"
    );
    let output = Command::new("lua5.1").args(["-e", &timed]).output().ok()?;
    let seconds: f64 = String::from_utf8(output.stdout).ok()?.parse().ok()?;
    Some(Duration::from_secs_f64(seconds))
}

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

fn verdict(holds: bool) -> &'static str {
    if holds { "" } else { "(missed)" }
}
