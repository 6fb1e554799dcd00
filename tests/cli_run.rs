//! `goop2 run`: one script by hand, and the specification's scripts as they are.

use std::fs;
use std::path::{Path, PathBuf};

use goop2::config::Config;
use goop2::peer_id::PeerId;
use goop2::store::{ColumnDefinition, ColumnName, Database, Policy, SqlValue, Stamp, TableName};
use serde_json::{Value, json};

use crate::cli_support::{Ran, finished, fixture, goop2, new_peer, program};

const ANNA: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

/// `goop2 run` of a script with this source.
fn run_source(source: &str, args: &[&str]) -> Ran {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("script.lua");
    fs::write(&file, source).unwrap();
    goop2([&["run", file.to_str().unwrap()], args].concat())
}

/// A peer folder with the specification's scripts and the tables that they ask for.
pub(crate) fn peer_of_the_specification() -> (tempfile::TempDir, PathBuf) {
    let (temp, dir) = new_peer("blank");
    for script in fs::read_dir(fixture("spec-scripts")).unwrap() {
        let script = script.unwrap();
        fs::copy(script.path(), dir.join("site/lua").join(script.file_name())).unwrap();
    }
    let mut config = Config::load(&dir).unwrap();
    config.lua.enabled = true;
    fs::write(dir.join("goop.json"), serde_json::to_vec(&config).unwrap()).unwrap();
    let database = Database::open(&dir).unwrap();
    let text = |text: &str| SqlValue::Text(text.to_owned());
    fill(
        &database,
        "quiz_answers",
        &["quiz_id TEXT", "question_id TEXT", "answer TEXT"],
        &[
            vec![text("capitals"), text("q1"), text("A")],
            vec![text("capitals"), text("q2"), text("C")],
            vec![text("other"), text("q1"), text("B")],
        ],
    );
    fill(
        &database,
        "scores",
        &["game_id TEXT", "peer_id TEXT", "score INTEGER", "submitted_at TEXT"],
        &[
            vec![text("snake"), text(ANNA), SqlValue::Integer(3), text("monday")],
            vec![text("snake"), text("Bob"), SqlValue::Integer(9), text("tuesday")],
        ],
    );
    let columns = ["id INTEGER", "name TEXT", "price REAL", "description TEXT", "category TEXT"];
    fill(
        &database,
        "products",
        &columns,
        &[
            vec![SqlValue::Integer(1), text("Tea"), SqlValue::Real(4.5), text("green"), text("drinks")],
            vec![SqlValue::Integer(2), text("Gold"), SqlValue::Real(2e6), text("a bar"), text("drinks")],
            vec![SqlValue::Integer(3), text("Hat"), SqlValue::Real(20.0), text("felt"), text("clothes")],
        ],
    );
    (temp, dir)
}

fn fill(database: &Database, table: &str, columns: &[&str], rows: &[Vec<SqlValue>]) {
    let table = TableName::parse(table).unwrap();
    let definitions: Vec<_> = columns
        .iter()
        .map(|column| {
            let (name, column_type) = column.split_once(' ').unwrap();
            let name = ColumnName::parse_user(name).unwrap();
            ColumnDefinition { name, column_type: column_type.to_owned(), not_null: false, default: None }
        })
        .collect();
    database.create_table(&table, &definitions, Policy::Open).unwrap();
    let stamp = Stamp { owner: PeerId::parse(ANNA).unwrap(), email: None };
    for row in rows {
        let names = definitions.iter().map(|definition| definition.name.clone());
        let row: Vec<_> = names.zip(row.iter().cloned()).collect();
        database.insert(&table, &row, &stamp, None).unwrap();
    }
}

#[test]
fn a_reply_a_result_and_their_json() {
    let source = "function handle(args) return 'You said: ' .. args end\n\
                  function call(request) return {twice = request.params.n * 2} end";
    assert_eq!(run_source(source, &["hello you"]).succeeded().stdout, "You said: hello you\n");
    assert_eq!(run_source(source, &["--call", r#"{"n": 4}"#]).succeeded().json(), json!({"twice": 8}));
    let report = run_source(source, &["hi", "--json"]).succeeded().json();
    assert_eq!(report["ok"], true);
    assert_eq!(report["reply"], "You said: hi");
    assert_eq!((&report["result"], &report["error"]), (&Value::Null, &Value::Null));
    let stats = &report["stats"];
    assert!(stats["fuel"].as_u64().unwrap() > 0 && stats["peak_memory_bytes"].as_u64().unwrap() > 0);
    assert!(stats["wall_ms"].as_f64().unwrap() > 0.0 && stats["http_requests"] == 0);
    assert_eq!(report.as_object().unwrap().len(), 5, "{report}");
    let report = run_source(source, &["--call", r#"{"n": 4}"#, "--json"]).succeeded().json();
    assert_eq!((&report["reply"], &report["result"]), (&Value::Null, &json!({"twice": 8})));
}

/// A program that reads the report found nothing to read.
#[test]
fn a_run_that_could_not_begin_has_its_report_too() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("hello.lua");
    fs::write(&file, "function handle() return 'hello' end").unwrap();
    let run = |args: &[&str]| {
        // Without --peer the script keeps what it keeps in a temporary folder.
        finished(program().env("TMPDIR", temp.path().join("missing")).arg("run").arg(&file).args(args))
    };
    let report = run(&["--json"]).failed(1, "").json();
    assert_eq!(
        (&report["ok"], &report["reply"], &report["result"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    let error = &report["error"];
    assert_eq!(
        (&error["kind"], &error["script"], &error["line"]),
        (&json!("internal"), &json!("hello.lua"), &Value::Null)
    );
    assert!(error["message"].as_str().unwrap().starts_with("the script can't be run: "), "{error}");
    assert_eq!(report["stats"]["fuel"], 0);
    assert_eq!(run(&[]).failed(1, "goop2: the script can't be run: ").stdout, "");
}

#[test]
fn requests_reach_neither_this_machine_nor_the_proxy_of_the_environment() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("fetch.lua");
    let source = "function handle(url) local status, body, err = goop.http.get(url) return status .. body .. ' ' .. err end";
    fs::write(&file, source).unwrap();
    let bait = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    bait.set_nonblocking(true).unwrap();
    let here = format!("http://{}/", bait.local_addr().unwrap());
    // A name that the system's resolver refuses by itself.
    let nowhere = format!("http://{}.invalid/", "a".repeat(70));
    for (url, problem) in [(&here, "a loopback address"), (&nowhere, "can't be found")] {
        let mut command = program();
        command.args(["run", "--json", file.to_str().unwrap(), url]);
        for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
            command.env(name, &here);
        }
        let report = finished(&mut command).succeeded().json();
        let reply = report["reply"].as_str().unwrap();
        assert!(reply.starts_with("0 ") && reply.contains(problem), "{reply}");
        assert_eq!(report["stats"]["http_requests"], 1);
    }
    assert_eq!(bait.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nothing connected");
}

#[test]
fn a_failure_has_its_kind_message_and_line() {
    let deep = "[".repeat(100) + &"]".repeat(100);
    for (source, args, kind, line, message) in [
        ("function handle(args)\n  error('no')\nend", &[][..], "runtime", json!(2), "script.lua:2: no"),
        ("function handle(args)\n  local x 3\nend", &[], "syntax", json!(2), "script.lua:2: "),
        ("\x1bLua", &[], "syntax", Value::Null, "compiled Lua"),
        ("while true do end", &["--timeout", "0.1"], "timeout", Value::Null, "longer than 0.1 s"),
        ("function call() end", &[], "runtime", Value::Null, "the function handle is not defined"),
        ("function call() return {[1] = 1, x = 2} end", &["--call", "{}"], "limit", Value::Null, "neither"),
        ("function call() end", &["--call", &deep], "limit", Value::Null, "deeper than 64 levels"),
        (
            "function handle() return {} end",
            &[],
            "runtime",
            Value::Null,
            "a string, a number or nil is needed",
        ),
        (
            "function handle() local t = {} while true do t[#t + 1] = {} end end",
            &["--memory", "1"],
            "memory",
            Value::Null,
            "the limit is 1048576",
        ),
    ] {
        let report = run_source(source, &[args, &["--json"]].concat()).failed(1, "").json();
        assert_eq!(report["ok"], false);
        let error = &report["error"];
        assert_eq!((&error["kind"], &error["script"]), (&json!(kind), &json!("script.lua")), "{report}");
        assert_eq!(error["line"], line, "{report}");
        assert!(error["message"].as_str().unwrap().contains(message), "{report}");
    }
    let large = format!("-- {}", "x".repeat(64 * 1024));
    assert_eq!(run_source(&large, &["--json"]).failed(1, "").json()["error"]["kind"], "limit");
    run_source(&large, &[]).failed(1, "the source has more than 65536 bytes");
    let marked = format!("\u{feff}handle = tostring --{}", "x".repeat(64 * 1024));
    run_source(&marked, &[]).failed(1, "the source has more than 65536 bytes");
    run_source("function call() end", &[]).failed(1, "--call");
    run_source("function handle() error('no') end", &[]).failed(1, "goop2: script.lua:1: no");
}

#[test]
fn repeat_and_stats_measure() {
    let source = "function handle(args) return 'x' end";
    let report = run_source(source, &["--repeat", "20", "--json"]).succeeded().json();
    let repeat = &report["repeat"];
    assert_eq!(repeat["n"], 20);
    let figure = |key: &str| repeat[key].as_f64().unwrap();
    assert!(figure("mean_us") > 0.0 && figure("p50_us") <= figure("p99_us"), "{report}");
    let failed =
        run_source("function handle() error('no') end", &["--repeat", "20"]).failed(1, "\n1 run: mean ");
    assert_eq!(failed.stdout, "");
    let shown = run_source(source, &["--stats"]).succeeded();
    assert_eq!(shown.stdout, "x\n");
    assert!(shown.stderr.contains(" fuel, "), "{shown:?}");
}

#[test]
fn what_a_script_prints_is_for_the_owner() {
    let ran = run_source("function handle(args) print('note', 1) goop.log.warn('care') end", &[]).succeeded();
    assert_eq!(ran.stdout, "");
    for line in ["note\t1", "care", "no reply"] {
        assert!(ran.stderr.contains(line), "{ran:#?}");
    }
    let quiet = run_source("function handle(args) print('note') return 'x' end", &["--json"]).succeeded();
    assert_eq!(quiet.json()["reply"], "x");
}

/// Each says in its first line how it must end.
#[test]
fn hostile_scripts_end_as_they_say() {
    for script in fs::read_dir(fixture("hostile")).unwrap() {
        let script = script.unwrap().path();
        let source = fs::read_to_string(&script).unwrap();
        let ends = source.lines().next().unwrap().strip_prefix("-- ends: ").unwrap();
        let ran = goop2(["run", script.to_str().unwrap(), "--timeout", "1", "--json"]);
        let report = ran.json();
        let kind = report["error"]["kind"].as_str().unwrap_or("reply");
        assert!(ends.split('|').any(|end| end == kind), "{}: {report}", script.display());
        assert_eq!(ran.code, i32::from(kind != "reply"), "{}", script.display());
        if kind == "reply" {
            assert!(report["reply"].as_str().unwrap_or_default().len() <= 4096, "{}", script.display());
        }
    }
}

#[test]
fn the_scripts_of_the_specification_run_unchanged() {
    let (_temp, dir) = peer_of_the_specification();
    let run = |script: &str, args: &[&str]| {
        let script = fixture("spec-scripts").join(script);
        goop2([&["run", script.to_str().unwrap(), "--peer", dir.to_str().unwrap()], args].concat())
            .succeeded()
    };
    let help = run("help.lua", &[]).stdout;
    assert_eq!(
        help,
        "Available commands:\n  !greet\n  !hello\n  !help\n  !score-quiz\n  !time\n  !weather\n"
    );
    let time = run("time.lua", &["Europe/Lisbon"]).stdout;
    assert!(time.starts_with("Current time: 20") && time.ends_with(" UTC\n"), "{time}");
    assert_eq!(run("greet.lua", &["--label", "Ada"]).stdout, "Hello, Ada!\n");
    assert_eq!(run("greet.lua", &["--as", ANNA]).stdout, "Hello, peer 12D3KooW...!\n");
    assert_eq!(run("weather.lua", &[""]).stdout, "Usage: !weather <city>\n");
    assert!(run("weather.lua", &["Oslo"]).stdout.contains("key not configured"));
    let call = |script: &str, params: Value| run(script, &["--call", &params.to_string()]).json();
    let answers = json!({"quiz_id": "capitals", "answers": {"q1": "A", "q2": "B"}});
    assert_eq!(call("score-quiz.lua", answers), json!({"score": 1, "total": 2, "passed": true}));
    let board = call("leaderboard.lua", json!({"game_id": "snake"}));
    assert_eq!(board["leaderboard"][0], json!({"peer_id": "Bob", "score": 9, "submitted_at": "tuesday"}));
    assert_eq!(board["leaderboard"].as_array().unwrap().len(), 2);
    let products = call("get-products.lua", json!({"category": "drinks"}));
    let tea = json!({"id": 1, "name": "Tea", "price": 4.5, "description": "green"});
    assert_eq!(products, json!({"products": [tea]}));
}

/// It failed at a nil value, as if the script were wrong, where only its peer was missing.
#[test]
fn a_data_function_without_a_peer_has_goop_db_and_no_database() {
    let source = "function call() return goop.db.query('SELECT 1') end";
    let ran = run_source(source, &["--call", "{}"]).failed(1, "goop.db.query: this peer has no database yet");
    assert!(ran.stderr.ends_with("--peer DIR gives it the database of that peer\n"), "{ran:?}");
    let (_temp, dir) = new_peer("blank");
    fs::remove_file(dir.join("data.db")).unwrap();
    let ran = run_source(source, &["--call", "{}", "--peer", dir.to_str().unwrap()]);
    assert!(!ran.failed(1, "no database yet").stderr.contains("--peer"));
    assert_eq!(run_source("function handle() return type(goop.db) end", &[]).stdout, "nil\n");
}

#[test]
fn run_in_a_peer_uses_its_keys_and_its_identity() {
    let (_temp, dir) = new_peer("quiz");
    let peer = dir.to_str().unwrap();
    let script = dir.join("site/lua/who.lua");
    let source = "function handle(args) goop.kv.set('n', tostring((goop.kv.get('n') or 0) + 1))\n\
                  return goop.self.id .. ' ' .. goop.self.label .. ' ' .. tostring(goop.peer.id == goop.self.id) end";
    fs::write(&script, source).unwrap();
    let run = || goop2([Path::new("run"), &script, Path::new("--peer"), &dir]).succeeded().stdout;
    let first = run();
    assert!(first.starts_with("12D3KooW") && first.ends_with(" hello true\n"), "{first}");
    assert_eq!(run(), first, "the id is the folder's, not a new one each time");
    assert_eq!(goop2(["kv", peer, "who", "get", "n"]).succeeded().stdout, "2\n");
    let score = dir.join("site/lua/score-quiz.lua");
    let answers = r#"{"quiz_id": "solar-system", "answers": {"q1": "B"}}"#;
    let ran = goop2(["run", score.to_str().unwrap(), "--peer", peer, "--call", answers]).succeeded();
    assert_eq!(ran.json(), json!({"score": 1, "total": 5, "passed": false}));
}

#[test]
fn text_that_starts_with_a_hyphen_is_a_number_or_stands_behind_two() {
    let echo = "function handle(args) return '<' .. args .. '>' end";
    for (args, reply) in [(&["-5"][..], "<-5>"), (&["--", "- x"], "<- x>"), (&["--", "--stats"], "<--stats>")]
    {
        assert_eq!(run_source(echo, args).succeeded().stdout.trim_end(), reply);
    }
    run_source(echo, &["--bogus"]).failed(2, "--bogus");
}
