//! Drives `interop/peer.mjs`, the peer on js-libp2p.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use crate::cli_support::Background;

/// When this is set, a machine that can't run the peer fails the tests instead of skipping them.
const REQUIRED: &str = "GOOP2_REQUIRE_INTEROP";

/// A running peer on js-libp2p.
pub(crate) struct JsPeer {
    process: Background,
    stdin: ChildStdin,
    /// Told by the peer, and not asked for yet.
    events: VecDeque<Value>,
    next_id: u64,
    pub(crate) id: String,
    pub(crate) addresses: Vec<String>,
}

impl JsPeer {
    /// Starts the peer with the options that `peer.mjs` lists; `None`, with a note to who runs the tests, on
    /// a machine without Node or the packages.
    pub(crate) fn start(options: Value) -> Option<Self> {
        let installed = match installed() {
            Ok(folder) => folder,
            Err(reason) => {
                assert!(std::env::var_os(REQUIRED).is_none(), "{REQUIRED} is set, but {reason}");
                // Not by a macro: those print only when a test fails.
                let _ = writeln!(std::io::stderr(), "skipped, because {reason}");
                return None;
            }
        };
        let source = std::fs::read_to_string(sources().join("peer.mjs")).unwrap();
        let mut command = Command::new("node");
        // A program that is given as text finds its packages from the folder where it runs.
        command.args(["--input-type=module", "--eval", &source]).current_dir(installed).stdin(Stdio::piped());
        let mut process = Background::spawn(&mut command);
        let mut stdin = process.stdin();
        writeln!(stdin, "{options}").unwrap();
        let ready: Value = serde_json::from_str(&process.line(|_| true)).unwrap();
        assert_eq!(ready["event"], "ready");
        let addresses = ready["addrs"].as_array().unwrap().iter();
        Some(Self {
            process,
            stdin,
            events: VecDeque::new(),
            next_id: 0,
            id: ready["peer_id"].as_str().unwrap().to_owned(),
            addresses: addresses.map(|address| address.as_str().unwrap().to_owned()).collect(),
        })
    }

    /// Has the peer do something, and gives what comes of it.
    pub(crate) fn ask(&mut self, command: &str, mut request: Value) -> Result<Value, String> {
        self.next_id += 1;
        request["id"] = json!(self.next_id);
        request["do"] = json!(command);
        writeln!(self.stdin, "{request}").unwrap();
        loop {
            let told = self.told();
            if told["id"] != json!(self.next_id) {
                self.events.push_back(told);
            } else if let Some(error) = told["error"].as_str() {
                return Err(error.to_owned());
            } else {
                return Ok(told["ok"].clone());
            }
        }
    }

    /// The next event that `wanted` takes. Others are kept.
    pub(crate) fn event(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(at) = self.events.iter().position(&wanted) {
                return self.events.remove(at).unwrap();
            }
            let told = self.told();
            self.events.push_back(told);
        }
    }

    fn told(&self) -> Value {
        serde_json::from_str(&self.process.line(|_| true)).unwrap()
    }

    /// Connects to the peer at `address`; gives its id.
    pub(crate) fn dial(&mut self, address: &str) -> String {
        self.ask("dial", json!({"address": address})).unwrap().as_str().unwrap().to_owned()
    }

    /// Sends `bytes` to `peer` on a stream of its own, and gives what comes back until the peer ends it.
    /// Half-closes after writing, or keeps the stream open until then.
    pub(crate) fn exchange(
        &mut self,
        peer: &str,
        protocol: &str,
        bytes: &str,
        half_close: bool,
    ) -> Result<String, String> {
        let request = json!({
            "peer": peer, "protocol": protocol, "bytes": one_char_per_byte(bytes), "halfClose": half_close,
        });
        self.ask("exchange", request).map(|answer| text(&answer))
    }

    /// Answers the streams of `protocol`: reads `until` (`eof`, `line`, `nothing`) and answers with what
    /// `answers` has for what came; `*` stands for anything else. Ends the stream then, or leaves its own
    /// direction open.
    pub(crate) fn handle(&mut self, protocol: &str, until: &str, answers: &[(&str, &str)], half_close: bool) {
        let answers = answers.iter();
        let answers = answers.map(|(to, answer)| (one_char_per_byte(to), json!(one_char_per_byte(answer))));
        let answers = Value::Object(answers.collect());
        let request =
            json!({"protocol": protocol, "until": until, "answers": answers, "halfClose": half_close});
        self.ask("handle", request).unwrap();
    }

    /// The next request on `protocol`: who sent it, and its bytes.
    pub(crate) fn request(&mut self, protocol: &str) -> (String, String) {
        let event = self.event(|event| event["event"] == "request" && event["protocol"] == protocol);
        (event["from"].as_str().unwrap().to_owned(), text(&event["bytes"]))
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// The folder with the peer's packages, or why it can't be run.
fn installed() -> Result<PathBuf, String> {
    let node = Command::new("node").arg("--version").output();
    node.map_err(|error| format!("Node can't be run: {error}"))?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop");
    let lock = |folder: &Path| std::fs::read(folder.join("package-lock.json")).ok();
    if lock(&folder) == lock(&sources()) {
        Ok(folder)
    } else {
        Err(format!("{} has not the packages; run tests/interop/install", folder.display()))
    }
}

fn one_char_per_byte(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

/// The reverse, of what the peer tells.
pub(crate) fn text(told: &Value) -> String {
    let bytes = told.as_str().unwrap().chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
