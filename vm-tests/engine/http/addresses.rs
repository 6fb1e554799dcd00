//! Where a request may lead.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use goop2::script::{HttpClient, Network};
use serde_json::json;
use tokio::net::TcpListener;

use super::server::{Server, response};
use super::{GET, get, get_with, peer_on, refusal};

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_at_once_and_never_connected_to() {
    let bait = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = bait.local_addr().unwrap().port();
    let hosts = [
        "127.0.0.1",
        "127.9.9.9",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "①②⑦.0.0.1",
        "0",
        "localhost",
        "localhost.",
        "a.LOCALHOST",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[ff02::1]",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
    ];
    let peer = peer_on(HttpClient::new(), &[("get.lua", GET)]);
    let start = Instant::now();
    for host in hosts {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            let results = peer.call("get", json!({"urls": [url]})).await.unwrap();
            let problem = refusal(&results[0]);
            assert!(problem.contains("is not allowed: it is or leads to a"), "{url}: {problem}");
        }
    }
    assert!(start.elapsed() < Duration::from_secs(3), "milliseconds each: {:?}", start.elapsed());
    assert!(
        tokio::time::timeout(Duration::ZERO, bait.accept()).await.is_err(),
        "something connected all the same"
    );
}

#[tokio::test]
async fn a_name_with_one_bad_address_is_refused_whatever_the_order() {
    let server = Server::start(|_| response("200 OK", &[], b"")).await;
    let bad = "10.0.0.1:80".parse().unwrap();
    let network = Network::public()
        .with_exception(server.address)
        .with_host("good.example", &[server.address])
        .with_host("first.example", &[bad, server.address])
        .with_host("last.example", &[server.address, bad]);
    let urls = ["http://first.example/", "http://last.example/", "http://good.example/"];
    let results = get(HttpClient::on(network), &urls).await;
    for (result, name) in results.iter().zip(["first", "last"]) {
        let expected = format!(
            "{name}.example is not allowed: it is or leads to a private address, and scripts reach public ones only"
        );
        assert_eq!(refusal(result), expected);
    }
    assert_eq!(results[2]["status"], 200);
    assert_eq!(server.seen().len(), 1);
}

/// A name may lead to a public address when it is asked for first and to the owner's network a moment later.
#[tokio::test]
async fn a_name_is_looked_up_and_checked_at_every_hop() {
    let server = Server::start(|seen| {
        let host = seen.header("host").unwrap();
        response("302 Found", &[&format!("Location: http://{host}/again")], b"")
    })
    .await;
    for second in
        ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fd00::1"]
    {
        let asked = AtomicUsize::new(0);
        let (first, second) = (server.address.ip(), second.parse::<IpAddr>().unwrap());
        let network = Network::public().with_exception(server.address).with_resolver(move |_| {
            let is_first = asked.fetch_add(1, Ordering::Relaxed) == 0;
            Ok(vec![if is_first { first } else { second }])
        });
        let before = server.seen().len();
        let url = format!("http://moves.example:{}/", server.address.port());
        let results = get(HttpClient::on(network), &[&url]).await;
        assert!(
            refusal(&results[0]).starts_with("moves.example is not allowed: "),
            "{second}: {}",
            results[0]
        );
        assert_eq!(server.seen().len(), before + 1, "{second}");
    }
}

#[tokio::test]
async fn names_that_lead_nowhere_are_told() {
    let network = Network::public().with_host("empty.example", &[]);
    // A name that the system's resolver refuses by itself: no test waits for a network.
    let name = format!("{}.invalid", "a".repeat(70));
    let results = get(HttpClient::on(network), &[&format!("http://{name}/"), "http://empty.example/"]).await;
    assert!(refusal(&results[0]).starts_with(&format!("{name} can't be found: ")), "{}", results[0]);
    assert_eq!(refusal(&results[1]), "empty.example can't be found: it has no address");
}

#[tokio::test]
async fn redirects_are_followed_five_times_and_checked_each_time() {
    let server = Server::start(|seen| {
        let to = |location: &str| response("302 Found", &[&format!("Location: {location}")], b"moved");
        match seen.target() {
            "/0" => response("200 OK", &[], b"arrived"),
            "/private" => to("http://127.0.0.1:1/"),
            "/file" => to("file:///etc/passwd"),
            "/loop" => to("/loop"),
            path => {
                let left: u32 = path[1..].parse().unwrap();
                to(&format!("/{}", left - 1))
            }
        }
    })
    .await;
    let url = |path: &str| server.url(path);
    let results = get(server.client(), &[&url("/5"), &url("/6"), &url("/loop")]).await;
    assert_eq!(results[0], json!({"status": 200, "body": "arrived"}));
    assert_eq!(refusal(&results[1]), "redirected more than 5 times");
    assert_eq!(refusal(&results[2]), "redirected more than 5 times");
    let results = get(server.client(), &[&url("/private"), &url("/file")]).await;
    assert!(refusal(&results[0]).contains("loopback"), "{}", results[0]);
    assert!(refusal(&results[1]).contains("only http:// and https://"), "{}", results[1]);
}

#[tokio::test]
async fn a_redirect_to_another_host_takes_no_keys_along() {
    let other = Server::start(|_| response("200 OK", &[], b"other")).await;
    let elsewhere = format!("Location: http://other.example:{}/", other.address.port());
    let server = Server::start(move |seen| match seen.target() {
        "/elsewhere" => response("307 Temporary Redirect", &[&elsewhere], b""),
        "/here" => response("307 Temporary Redirect", &["Location: /there"], b""),
        _ => response("200 OK", &[], b""),
    })
    .await;
    let network = Network::public()
        .with_exception(server.address)
        .with_exception(other.address)
        .with_host("other.example", &[other.address]);
    let headers = json!({"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Cookie": "s3cret", "Accept": "text/x"});
    let urls = [server.url("/elsewhere"), server.url("/here")];
    let results = get_with(HttpClient::on(network), &[&urls[0], &urls[1]], headers).await;
    assert_eq!((&results[0]["body"], &results[1]["status"]), (&json!("other"), &json!(200)), "{results:?}");
    let sent = &other.seen()[0];
    assert!(!sent.head.contains("s3cret"), "{}", sent.head);
    assert_eq!(sent.header("accept"), Some("text/x"));
    for seen in server.seen() {
        assert_eq!(seen.head.matches("s3cret").count(), 3, "{}", seen.head);
    }
}

#[tokio::test]
async fn certificates_are_checked() {
    let (server, authority) =
        Server::start_tls(&["right.example"], |_| response("200 OK", &[], b"safe")).await;
    let network = || {
        Network::public()
            .with_exception(server.address)
            .with_host("right.example", &[server.address])
            .with_host("wrong.example", &[server.address])
    };
    let trusting = HttpClient::on(network().with_authority(&authority));
    let results = get(trusting, &["https://right.example/", "https://wrong.example/"]).await;
    assert_eq!(results[0], json!({"status": 200, "body": "safe"}));
    assert!(refusal(&results[1]).starts_with("no secure connection to wrong.example: "), "{}", results[1]);
    let results = get(HttpClient::on(network()), &["https://right.example/"]).await;
    assert!(refusal(&results[0]).starts_with("no secure connection to right.example: "), "{}", results[0]);
}
