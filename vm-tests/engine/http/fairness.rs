//! What one script's requests leave for another's.

use std::io;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, channel};

use goop2::config::LuaConfig;
use goop2::script::{HttpClient, Network};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::{Peer, TOO_LONG, caller, config};
use super::server::{Server, receive, response};

/// Gives the length of what the URL of its parameter gave, or why it gave nothing.
const FETCH: &str = "function call(r) local _, body, err = goop.http.get(r.params) return err or #body end";

/// More than there are threads for names, or places for large bodies.
const GREEDY: usize = 100;

/// A peer on which a greedy script waits for as long as the test takes.
fn peer(client: HttpClient) -> Peer {
    let patient = LuaConfig { timeout_seconds: 60, max_running: 1_000, ..config() };
    Peer::with_http(patient, client, &[("greedy.lua", FETCH), ("other.lua", FETCH), ("third.lua", FETCH)])
}

/// Calls `script` again and again, and waits for no answer.
fn call_all(peer: &Peer, script: &'static str, url: impl Fn(usize) -> String) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    for n in 0..GREEDY {
        let (engine, url) = (peer.engine.clone(), url(n));
        calls.spawn(async move { drop(engine.call(&caller("Ann"), script, json!(url)).await) });
    }
    calls
}

async fn soon(call: impl Future<Output = Result<Json, String>>) -> Result<Json, String> {
    tokio::time::timeout(TOO_LONG, call)
        .await
        .expect("the other script's request waits behind the greedy one's")
}

/// A resolver whose names that start with `hang` are not found before the test ends, and who asks for one.
fn hanging_resolver(found: IpAddr) -> (Network, Receiver<()>, Sender<()>) {
    let (asked, asks) = channel();
    let (end, ended) = channel::<()>();
    let ended = Mutex::new(ended);
    let network = Network::public().with_resolver(move |name| {
        if !name.starts_with("hang") {
            return Ok(vec![found]);
        }
        let _ = asked.send(());
        // Never sent: it is dropped at the end of the test.
        let _ = ended.lock().recv();
        Err(io::ErrorKind::TimedOut.into())
    });
    (network, asks, end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_hang_leave_look_ups_for_other_scripts() {
    let server = Server::start(|_| response("200 OK", &[], b"found")).await;
    let (network, asks, _end) = hanging_resolver(server.address.ip());
    let peer = peer(HttpClient::on(network.with_exception(server.address)));
    let port = server.address.port();
    let mut greedy = Vec::new();
    // Nor do two scripts hold all that there is.
    for (script, quick) in [("greedy", "other"), ("other", "third")] {
        greedy.push(call_all(&peer, script, |n| format!("http://hang-{script}{n}.example/")));
        asks.recv_timeout(TOO_LONG).unwrap();
        for n in 0..20 {
            let url = json!(format!("http://{quick}{n}.example:{port}/"));
            assert_eq!(soon(peer.call(quick, url)).await, Ok(json!(5)), "{quick}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_that_do_not_end_leave_room_for_other_scripts() {
    const LENGTH: usize = 100 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (slow, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let mut server = JoinSet::new();
    server.spawn(async move {
        let whole = response("200 OK", &[], &vec![b'x'; LENGTH]);
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(seen) = receive(&mut stream).await else { continue };
            let is_slow = seen.target() == "/slow";
            let sent = if is_slow { LENGTH / 2 } else { whole.len() };
            let _ = stream.write_all(&whole[..sent]).await;
            // The rest never comes.
            if is_slow {
                let _ = slow.send(stream);
            }
        }
    });
    let peer = peer(HttpClient::on(Network::public().with_exception(address)));
    let _greedy = call_all(&peer, "greedy", |_| format!("http://{address}/slow"));
    let mut streams = Vec::new();
    while streams.len() < GREEDY {
        streams.push(tokio::time::timeout(TOO_LONG, waits.recv()).await.unwrap().unwrap());
    }
    for _ in 0..20 {
        let url = json!(format!("http://{address}/whole"));
        assert_eq!(soon(peer.call("other", url)).await, Ok(json!(LENGTH)));
    }
}
