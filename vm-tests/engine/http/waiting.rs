//! Requests that take their time.

use goop2::config::LuaConfig;
use goop2::script::{Caller, HttpClient, Network};
use serde_json::json;
use tokio::net::TcpListener;

use super::super::{Peer, TOO_LONG, caller, config};
use super::server::{receive, response};

#[tokio::test]
async fn a_request_ends_with_its_script() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = HttpClient::on(Network::public().with_exception(address));
    let source = "function handle(url) pcall(goop.http.get, url) return 'went on' end";
    let scripts = [("wait.lua", source), ("quick.lua", "function handle() return 'quick' end")];
    let peer = Peer::with_http(config(), client, &scripts);
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(receive(&mut stream).await.is_some());
        assert_eq!(peer.chat("!quick").await.as_deref(), Some("quick"), "nobody waits for one that waits");
        // The server never answers, and reads until the client is gone.
        assert!(receive(&mut stream).await.is_none());
    };
    let command = format!("!wait http://{address}/");
    let (reply, ()) = tokio::join!(peer.chat(&command), server);
    let reply = reply.unwrap();
    assert!(reply.starts_with("Script error (ref "), "a timeout can't be caught: {reply}");
}

/// Far more than there are threads or places to run.
const WAITING: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_wait_at_once_for_a_server_that_answers_when_all_are_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = HttpClient::on(Network::public().with_exception(address));
    let source = "function call(r) local status, body, err = goop.http.get(r.params) return err or body end";
    let slow = LuaConfig { timeout_seconds: 30, ..config() };
    let scripts = [("wait.lua", source), ("quick.lua", "function call() return 'quick' end")];
    let peer = Peer::with_http(slow, client, &scripts);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..WAITING {
        let (engine, url) = (peer.engine.clone(), json!(format!("http://{address}/")));
        let ann: Caller = caller("Ann");
        calls.spawn(async move { engine.call(&ann, "wait", url).await });
    }
    let all_there = async {
        let mut streams = Vec::new();
        while streams.len() < WAITING {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(receive(&mut stream).await.is_some());
            streams.push(stream);
        }
        streams
    };
    let streams = tokio::time::timeout(TOO_LONG, all_there).await.expect("not all wait at once");
    assert_eq!(peer.call("quick", json!({})).await, Ok(json!("quick")), "all wait, and nobody is delayed");
    for mut stream in streams {
        tokio::io::AsyncWriteExt::write_all(&mut stream, &response("200 OK", &[], b"late")).await.unwrap();
    }
    for result in calls.join_all().await {
        assert_eq!(result.unwrap(), json!("late"));
    }
}
