//! A peer whose output nobody reads: a terminal that is held, a pager, a service manager that is stuck.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Instant;

use serde_json::Value;

use crate::cli_support::{DEADLINE, goop2, new_peer, program};

/// A program that does not outlive its test.
struct Kept(Child);

impl Kept {
    fn ask_to_stop(&self) {
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(asked.success());
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Far more than a pipe holds.
const CALLS: usize = 5;

/// Strangers can make a script log. Its worker waited for the reader, with all other scripts, and the peer did
/// not stop when it was told to.
#[test]
fn a_log_that_nobody_reads_keeps_nobody_waiting() {
    let (_temp, dir) = new_peer("quiz");
    let script = "function handle() for i = 1, 100 do print(('x'):rep(1000)) end return 'logged' end";
    fs::write(dir.join("site/lua/logs.lua"), script).unwrap();
    let mut command = program();
    command.args(["peer", dir.to_str().unwrap(), "--json", "--listen", "/ip4/127.0.0.1/tcp/0"]);
    let mut peer = Kept(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    // Held open and not read.
    let _stderr = peer.0.stderr.take().unwrap();
    let mut stdout = BufReader::new(peer.0.stdout.take().unwrap());
    let mut ready = String::new();
    stdout.read_line(&mut ready).unwrap();
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let address = ready["addrs"][0].as_str().unwrap();
    for _ in 0..CALLS {
        assert_eq!(goop2(["chat", address, "!logs"]).succeeded().stdout, "logged\n");
    }
    assert!(goop2(["chat", address, "!help"]).succeeded().stdout.contains("!logs"));
    peer.ask_to_stop();
    let (sender, ended) = channel();
    std::thread::spawn(move || sender.send(stdout.lines().map_while(Result::ok).last()));
    let last = ended.recv_timeout(DEADLINE).expect("the peer did not stop");
    assert_eq!(last.as_deref(), Some(r#"{"event":"stopped"}"#));
}

/// A reader that stops reading once kept a peer from hearing its owner: the write to the full pipe
/// never ended. What fills the pipe is a stranger's to choose.
#[test]
fn a_peer_whose_output_nobody_reads_still_stops() {
    let (_temp, dir) = new_peer("blank");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("/ip4/127.0.0.1/tcp/{free}");
    let who = dir.join("site/lua/who.lua");
    fs::write(&who, "function handle(args) return goop.self.id end").unwrap();
    let id = goop2([Path::new("run"), &who, Path::new("--peer"), &dir]).succeeded().stdout;
    let mut command = program();
    command.arg("peer").arg(&dir).args(["--json", "--listen", &listen]);
    let mut peer = Kept(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let (address, long) = (format!("{listen}/p2p/{}", id.trim()), "x".repeat(60_000));
    let deadline = Instant::now() + DEADLINE;
    let mut delivered = 0;
    while delivered < 4 {
        // Refused until the peer listens.
        delivered += usize::from(goop2(["chat", &address, &long, "--wait", "0"]).code == 0);
        assert!(Instant::now() < deadline, "the peer is not up");
    }
    let (sender, ended) = channel();
    let mut stderr = peer.0.stderr.take().unwrap();
    std::thread::spawn(move || sender.send(std::io::copy(&mut stderr, &mut std::io::sink())));
    peer.ask_to_stop();
    assert!(ended.recv_timeout(DEADLINE).is_ok(), "the peer did not stop");
    assert!(peer.0.wait().unwrap().success());
}
