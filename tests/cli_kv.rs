//! What scripts keep, when processes share it and when they are killed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Instant;

use goop2::config::Config;
use goop2::script::{KvStore, ScriptName};
use serde_json::{Value, json};

use crate::cli_support::{DEADLINE, RunningPeer, goop2, new_peer, program};

/// How often the writing script is killed, and how often `goop2 kv`.
const KILLED_RUNS: usize = 100;
const KILLED_SETS: usize = 25;

/// A peer folder with one script, and no limit of the rate that a test could meet.
fn peer_with(script: &str, source: &str) -> (tempfile::TempDir, PathBuf) {
    let (temp, dir) = new_peer("blank");
    configure(&dir, |config| {
        config.lua.enabled = true;
        (config.lua.rate_limit_per_peer, config.lua.rate_limit_global) = (10_000, 10_000);
    });
    fs::write(dir.join("site/lua").join(script), source).unwrap();
    (temp, dir)
}

fn configure(dir: &Path, change: impl FnOnce(&mut Config)) {
    let mut config = Config::load(dir).unwrap();
    change(&mut config);
    fs::write(dir.join("goop.json"), serde_json::to_vec(&config).unwrap()).unwrap();
}

fn store(dir: &Path, script: &str) -> KvStore {
    KvStore::new(&dir.join("site/lua"), &ScriptName::parse(script).unwrap())
}

/// Sets a key in each invocation. That the next one begins, with what it reads, says that the last
/// one's reply could leave: what it set is safe.
const COUNTING: &str = "function handle()
    local n = tonumber(goop.kv.get('n') or '0')
    print('safe ' .. n)
    goop.kv.set('n', tostring(n + 1))
    goop.kv.set('text', ('x'):rep((n + 1) % 100 * 300))
    print('set ' .. (n + 1))
end";

/// Reads lines until the process ends; kills it at the `turn`th that `wanted` takes, at once or
/// while the new file lies beside the old one. Gives the last number said to be safe.
fn kill_at(mut child: Child, wanted: &str, turn: usize, new_file: Option<&Path>) -> u64 {
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (mut safe, mut seen) = (0, 0);
    for line in lines {
        let line = line.unwrap();
        if let Some((_, number)) = line.split_once("safe ") {
            safe = number.split_whitespace().next().unwrap().parse().unwrap();
        }
        seen += usize::from(line.contains(wanted));
        if seen == turn && line.contains(wanted) {
            let deadline = Instant::now() + DEADLINE;
            while new_file.is_some_and(|file| !file.exists()) {
                assert!(Instant::now() < deadline, "no new file was written");
            }
            child.kill().unwrap();
        }
    }
    assert!(seen >= turn, "the process ended by itself");
    child.wait().unwrap();
    safe
}

#[test]
fn what_was_answered_for_survives_a_kill_at_any_moment() {
    let (_temp, dir) = peer_with("count.lua", COUNTING);
    let script = dir.join("site/lua/count.lua");
    let state = dir.join("site/lua/.state");
    let new_file = state.join("count.new");
    let mut reached = 0;
    for round in 0..KILLED_RUNS {
        let mut command = program();
        let endless = ["--repeat", "1000000", "--peer"];
        command.arg("run").arg(&script).args(endless).arg(&dir).stderr(Stdio::piped());
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        let (wanted, file) = [("safe ", None), ("set ", None), ("set ", Some(&*new_file))][round % 3];
        let safe = kill_at(child, wanted, 1 + round % 7, file);
        // A new store each time, as a new process would have.
        let stored = store(&dir, "count").entries().unwrap();
        let n: u64 = stored.get("n").map_or(0, |n| n.parse().unwrap());
        assert!(safe >= reached, "round {round}: {safe} came after {reached}");
        assert!(n == safe || n == safe + 1, "round {round}: {n} is stored, {safe} was safe");
        let text = stored.get("text").map_or(0, String::len) as u64;
        assert_eq!(text, n % 100 * 300, "round {round}: the keys of one write are of one write");
        reached = n;
    }
    assert!(reached >= 3 * KILLED_RUNS as u64 / 2, "{reached}");
    let mut names: Vec<_> =
        fs::read_dir(&state).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "count.new");
    names.sort();
    assert_eq!(names, ["count.json", "count.lock"], "nothing was broken, nothing is left");
}

#[test]
fn a_killed_goop2_kv_has_set_the_key_or_not() {
    let (_temp, dir) = peer_with("keys.lua", "function handle() end");
    let new_file = dir.join("site/lua/.state/keys.new");
    let mut last = None;
    for round in 0..KILLED_SETS {
        let value = format!("{round} {}", "v".repeat(round * 100));
        let mut child = program().arg("kv").arg(&dir).args(["keys", "set", "k", &value]).spawn().unwrap();
        let ended = loop {
            // Every fourth may end by itself, which says that its value is safe.
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if round % 4 != 0 && new_file.exists() {
                child.kill().unwrap();
                break None;
            }
        };
        let success = ended.or_else(|| child.wait().ok()).unwrap().success();
        let stored = store(&dir, "keys").get("k").unwrap();
        let new = stored.as_ref() == Some(&value);
        assert!(new || (!success && stored == last), "round {round}: {stored:?}");
        last = stored;
    }
    assert!(last.is_some());
}

#[test]
fn the_owner_and_a_running_peer_lose_none_of_each_others_keys() {
    const EACH: usize = 8;
    let source = "function call(request)
        local p = request.params
        if p.set then goop.kv.set(p.set, 'script') end
        return p.get and goop.kv.get(p.get)
    end";
    let (_temp, dir) = peer_with("keys.lua", source);
    let peer = RunningPeer::start(&dir);
    let address = peer.address().to_owned();
    let call = |params: Value| goop2(["call", &address, "keys", &params.to_string()]).succeeded();
    let kv = |args: &[&str]| goop2([&["kv", dir.to_str().unwrap(), "keys"], args].concat()).succeeded();
    kv(&["set", "api_key", "first"]);
    assert_eq!(call(json!({"get": "api_key"})).json(), json!("first"));
    // Of the same length, and maybe within the same tick of the clock.
    kv(&["set", "api_key", "other"]);
    assert_eq!(call(json!({"get": "api_key"})).json(), json!("other"), "the peer looks at the file again");
    call(json!({"set": "from_script"}));
    assert_eq!(kv(&["get", "from_script"]).stdout, "script\n");
    std::thread::scope(|scope| {
        scope.spawn(|| (0..EACH).for_each(|n| drop(call(json!({"set": format!("script{n}")})))));
        scope.spawn(|| (0..EACH).for_each(|n| drop(kv(&["set", &format!("owner{n}"), "owner"]))));
    });
    let listed = kv(&["list"]).stdout;
    assert_eq!(listed.lines().count(), 2 + 2 * EACH, "{listed}");
    for n in 0..EACH {
        assert_eq!(call(json!({"get": format!("owner{n}")})).json(), json!("owner"));
    }
    kv(&["del", "api_key"]);
    assert_eq!(call(json!({"get": "api_key"})).json(), Value::Null);
    peer.stop().succeeded();
}

#[test]
fn a_script_run_by_hand_has_no_kv_either_when_it_is_switched_off() {
    let (_temp, dir) = peer_with("has.lua", "function handle() return type(goop.kv) end");
    let script = dir.join("site/lua/has.lua");
    let run = || goop2([Path::new("run"), &script, Path::new("--peer"), &dir]).succeeded().stdout;
    assert_eq!(run(), "table\n");
    configure(&dir, |config| config.lua.kv_enabled = false);
    assert_eq!(run(), "nil\n");
}

/// A script may put what a visitor wrote into a key, and one key looked like two.
#[test]
fn each_key_is_listed_on_one_line() {
    let (_temp, dir) = peer_with("keys.lua", "function handle() end");
    let kv = |args: &[&str]| goop2([&["kv", dir.to_str().unwrap(), "keys"], args].concat()).succeeded();
    kv(&["set", "city:Oslo\napi_key", "cold"]);
    assert_eq!(kv(&["list"]).stdout, "city:Oslo\\napi_key\n");
}

/// The peer may have set it aside days ago, with a warning that scrolled away.
#[test]
fn who_looks_for_keys_is_told_of_a_file_that_was_set_aside() {
    let (_temp, dir) = peer_with("keys.lua", "function handle() end");
    let state = dir.join("site/lua/.state");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("keys.json"), r#"{"api_key": "s3cret", "n": -0.75}"#).unwrap();
    let list = || goop2(["kv", dir.to_str().unwrap(), "keys", "list"]).succeeded();
    let first = list();
    let reason = r#"the value of "n" is a number and not a string"#;
    assert!(first.stderr.contains(reason), "{first:?}");
    assert!(!first.stderr.contains("0.75") && !first.stderr.contains("s3cret"), "{first:?}");
    let second = list();
    assert_eq!(second.stdout, "");
    assert!(
        second.stderr.contains("was set aside as") && second.stderr.contains("keys.corrupt-"),
        "{second:?}"
    );
}
