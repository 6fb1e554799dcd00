//! What scripts write into the owner's log.

use std::fmt::{Debug, Write};
use std::sync::OnceLock;

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::Peer;

/// Every line of the log `goop2::lua`, with its fields. Scripts run on threads of their own, so there is
/// one log for the whole process, and each test looks for its own script.
struct Lines;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "goop2::lua"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        LINES.lock().push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

fn lines_of(script: &str) -> Vec<String> {
    let lines = LINES.lock();
    lines.iter().filter(|line| line.contains(&format!("script={script} "))).cloned().collect()
}

fn start() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| tracing::subscriber::set_global_default(Lines).unwrap());
}

#[tokio::test]
async fn a_line_has_its_level_script_caller_and_reference_and_no_control_characters() {
    start();
    let peer = Peer::with(&[(
        "logs-once.lua",
        "function handle(args)
            goop.log.warn('first ' .. args)
            print('a\\27[2J', nil, 2)
            goop.log.error(('x'):rep(5000))
            error('last')
        end",
    )]);
    peer.chat("!logs-once now").await;
    let lines = lines_of("logs-once");
    let [first, printed, long, failed] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(
        first.starts_with("WARN ") && first.contains("first now") && first.contains("caller=Ann"),
        "{first}"
    );
    assert!(printed.starts_with("INFO ") && printed.contains("a\\u{1b}[2J\tnil\t2"), "{printed}");
    assert!(long.starts_with("ERROR ") && long.len() < 1_200 && long.contains("xx... "), "{long}");
    assert!(failed.contains("logs-once.lua:5: last"), "{failed}");
    let reference = |line: &String| {
        let rest = line.split("reference=").nth(1).unwrap_or_else(|| panic!("{line}"));
        rest[..6].to_owned()
    };
    assert!(lines.iter().all(|line| reference(line) == reference(first)), "{lines:?}");
}

#[tokio::test]
async fn an_invocation_and_a_script_have_only_so_many_lines() {
    start();
    let peer =
        Peer::with(&[("logs-much.lua", "function handle() for i = 1, 5000 do print(i) end return 'ok' end")]);
    assert_eq!(peer.chat("!logs-much").await.as_deref(), Some("ok"));
    let lines = lines_of("logs-much");
    assert_eq!(lines.len(), 101);
    assert!(lines[100].contains("further lines of this invocation are left out"), "{}", lines[100]);
    for _ in 0..30 {
        peer.chat("!logs-much").await;
    }
    let lines = lines_of("logs-much");
    assert_eq!(lines.len(), 1_001);
    assert!(
        lines[1_000].contains("further lines of this script in this minute are left out"),
        "{}",
        lines[1_000]
    );
}

/// To know all callers costs time, so it begins with the first failure.
#[tokio::test]
async fn from_the_second_failure_on_the_log_has_the_whole_traceback() {
    start();
    let peer = Peer::with(&[(
        "fails-deep.lua",
        "local function grade(answer) local points = answer.points return points + 1 end
        function handle(args) local total = grade({}) return total end",
    )]);
    let whole = "fails-deep.lua:1: in function 'grade' < fails-deep.lua:2: in function 'handle'";
    peer.chat("!fails-deep").await;
    let first = lines_of("fails-deep").pop().unwrap();
    assert!(first.contains("fails-deep.lua:1: in function 'grade'") && !first.contains(whole), "{first}");
    // The program is made anew beside the calls.
    while !lines_of("fails-deep").iter().any(|line| line.contains(whole)) {
        peer.chat("!fails-deep").await;
    }
}
