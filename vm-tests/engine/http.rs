//! `goop.http`, against real servers on this machine.

use std::time::{Duration, Instant};

use goop2::config::LuaConfig;
use goop2::script::{Caller, HttpClient, Network, Runner, Surroundings};
use goop2::vm::{Entry, Limits, Stats};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use super::http_server::{Server, receive, response};
use super::{Peer, caller, config};

/// Gives what `get` gave, and the time it took, of each URL.
const GET: &str = "function call(r)
    local results = {}
    for i, url in ipairs(r.params.urls) do
        local status, body, err = goop.http.get(url, r.params.headers)
        results[i] = { status = status, body = body, err = err }
    end
    return results
end";

fn peer_on(client: HttpClient, scripts: &[(&str, &str)]) -> Peer {
    Peer::with_http(LuaConfig { timeout_seconds: 5, ..config() }, client, scripts)
}

async fn get(client: HttpClient, urls: &[&str]) -> Vec<Json> {
    get_with(client, urls, json!({})).await
}

async fn get_with(client: HttpClient, urls: &[&str], headers: Json) -> Vec<Json> {
    let peer = peer_on(client, &[("get.lua", GET)]);
    let result = peer.call("get", json!({"urls": urls, "headers": headers})).await.unwrap();
    result.as_array().unwrap().clone()
}

/// The `err` of a request that must have failed in the specified way.
fn refusal(result: &Json) -> &str {
    assert_eq!((&result["status"], &result["body"]), (&json!(0), &json!("")), "{result}");
    result["err"].as_str().unwrap_or_else(|| panic!("no err: {result}"))
}

fn spec_script(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spec-scripts");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[tokio::test]
async fn get_gives_status_body_and_no_error() {
    let server = Server::start(|seen| match seen.target() {
        "/ok" => response("200 OK", &["X-Other: x"], b"hello"),
        _ => response("404 Not Found", &[], b"nothing here"),
    })
    .await;
    let results = get(server.client(), &[&server.url("/ok"), &server.url("/other")]).await;
    assert_eq!(results[0], json!({"status": 200, "body": "hello"}));
    assert_eq!(results[1], json!({"status": 404, "body": "nothing here"}), "a status is no error");
    let seen = &server.seen()[0];
    assert!(seen.head.starts_with("GET /ok HTTP/1.1\r\n"), "{}", seen.head);
    assert_eq!(seen.header("host"), Some(server.address.to_string().as_str()));
    assert!(seen.header("user-agent").unwrap().starts_with("goop2/"));
}

#[tokio::test]
async fn post_sends_its_type_body_and_headers() {
    let server = Server::start(|seen| response("201 Created", &[], &seen.body)).await;
    let peer = peer_on(
        server.client(),
        &[(
            "post.lua",
            "function call(r)
                local body = 'a=1\\0\\255'
                local status, back, err = goop.http.post(r.params, 'text/x', body, {['X-Custom'] = 'value', ['X-N'] = 7})
                local plain = goop.http.post(r.params, 'text/y', '')
                return { status = status, same = back == body, err = err, plain = plain }
            end",
        )],
    );
    let result = peer.call("post", json!(server.url("/p?x"))).await.unwrap();
    assert_eq!(result, json!({"status": 201, "same": true, "plain": 201}));
    let seen = server.seen();
    assert!(seen[0].head.starts_with("POST /p?x HTTP/1.1\r\n"), "{}", seen[0].head);
    for (name, value) in [("content-type", "text/x"), ("x-custom", "value"), ("x-n", "7")] {
        assert_eq!(seen[0].header(name), Some(value), "{name}");
    }
    assert_eq!(seen[0].body, b"a=1\0\xff");
    assert_eq!(
        (seen[1].header("content-length"), seen[1].header("content-type")),
        (Some("0"), Some("text/y"))
    );
}

#[tokio::test]
async fn the_weather_scripts_of_the_specification_work_unchanged() {
    let host = "api.openweathermap.org";
    let (server, authority) = Server::start_tls(&[host], |_| {
        let weather = r#"{"name":"São Paulo","main":{"temp":21.7},"weather":[{"description":"light rain"}]}"#;
        response("200 OK", &[], weather.as_bytes())
    })
    .await;
    let network = Network::public()
        .with_host(host, &[server.address])
        .with_exception(server.address)
        .with_authority(&authority);
    let (weather, proxy) = (spec_script("weather.lua"), spec_script("weather-proxy.lua"));
    let peer = peer_on(
        HttpClient::on(network),
        &[
            ("weather.lua", &weather),
            ("weather-proxy.lua", &proxy),
            (".state/weather.json", r#"{"api_key": "k1"}"#),
            (".state/weather-proxy.json", r#"{"owm_api_key": "k2"}"#),
        ],
    );
    assert_eq!(peer.chat("!weather New York").await.as_deref(), Some("São Paulo: 21°C, light rain"));
    assert_eq!(peer.chat("!weather São Paulo").await.as_deref(), Some("São Paulo: 21°C, light rain"));
    let first = peer.call("weather-proxy", json!({"city": "Lima & Co"})).await.unwrap();
    assert_eq!((&first["city"], &first["temp"]), (&json!("São Paulo"), &json!(21.7)));
    let cached = peer.call("weather-proxy", json!({"city": "Lima & Co"})).await.unwrap();
    assert_eq!(cached, first);
    let targets: Vec<String> = server.seen().iter().map(|seen| seen.target().to_owned()).collect();
    assert_eq!(
        targets,
        [
            "/data/2.5/weather?q=New%20York&appid=k1&units=metric",
            "/data/2.5/weather?q=S%C3%A3o%20Paulo&appid=k1&units=metric",
            "/data/2.5/weather?q=Lima%20&%20Co&appid=k2&units=metric",
        ],
        "and the second call of the proxy came from its cache"
    );
    assert_eq!(server.seen()[0].header("host"), Some(host));
}

#[tokio::test]
async fn a_run_has_three_requests_refused_ones_included() {
    let server = Server::start(|_| response("200 OK", &[], b"")).await;
    let url = server.url("/");
    let results = get(server.client(), &["ftp://x", &url, &url, &url, &url]).await;
    assert_eq!((&results[1]["status"], &results[2]["status"]), (&json!(200), &json!(200)));
    for result in &results[3..] {
        assert_eq!(refusal(result), "at most 3 HTTP requests in one run of a script");
    }
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_run_by_hand_counts_its_requests() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(|_| response("200 OK", &[], b"x")));
    let source = "function handle(url)
        local _, body = goop.http.get(url)
        goop.http.get('http://127.0.0.1:1/')
        return body
    end";
    let requests = |http, source: &str| {
        let surroundings = Surroundings {
            kv_enabled: true,
            caller: caller("Ann"),
            own: caller("Host"),
            peer_dir: None,
            script_dir: None,
            commands: Vec::new(),
            http,
            limits: Limits::default(),
        };
        let runner = Runner::load("r.lua".as_ref(), source.as_bytes(), surroundings).unwrap();
        let (result, Stats { http_requests, .. }) = runner.run(Entry::Handle(server.url("/")));
        (result.is_ok(), http_requests)
    };
    assert_eq!(requests(Some(server.client()), source), (true, 2));
    assert_eq!(requests(None, "function handle() return tostring(goop.http) end"), (true, 0));
    assert_eq!(requests(None, source), (false, 0));
}

#[tokio::test]
async fn a_body_has_at_most_a_megabyte_however_it_comes() {
    const LIMIT: usize = 1024 * 1024;
    let chunked = |size: usize| {
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        bytes.extend(format!("{size:x}\r\n").into_bytes());
        bytes.extend(vec![b'x'; size]);
        bytes.extend(b"\r\n0\r\n\r\n");
        bytes
    };
    let server = Server::start(move |seen| match seen.target() {
        "/most" => response("200 OK", &[], &vec![b'x'; LIMIT]),
        "/over" => response("200 OK", &[], &vec![b'x'; LIMIT + 1]),
        "/chunked-most" => chunked(LIMIT),
        "/chunked-over" => chunked(LIMIT + 1),
        "/endless" => [&b"HTTP/1.0 200 OK\r\n\r\n"[..], &vec![b'x'; 3 * LIMIT]].concat(),
        "/gzip" => response("200 OK", &["Content-Encoding: gzip"], &gzip(b"small")),
        "/bomb" => response("200 OK", &["Content-Encoding: gzip"], &gzip(&vec![0; 50 * LIMIT])),
        "/broken" => response("200 OK", &["Content-Encoding: gzip"], b"not gzip"),
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort".to_vec(),
    })
    .await;
    let peer = peer_on(
        server.client(),
        &[(
            "size.lua",
            "function call(url) local status, body, err = goop.http.get(url.params) return { #body, err } end",
        )],
    );
    let host = "127.0.0.1";
    let too_large =
        format!("{host} answered with more than {LIMIT} bytes; that is the limit, after decompression");
    for (path, expected) in [
        ("/most", json!([LIMIT])),
        ("/over", json!([0, too_large])),
        ("/chunked-most", json!([LIMIT])),
        ("/chunked-over", json!([0, too_large])),
        ("/endless", json!([0, too_large])),
        ("/gzip", json!([5])),
        ("/bomb", json!([0, too_large])),
    ] {
        assert_eq!(peer.call("size", json!(server.url(path))).await.unwrap(), expected, "{path}");
    }
    for path in ["/broken", "/short"] {
        let result = peer.call("size", json!(server.url(path))).await.unwrap();
        let problem = result[1].as_str().unwrap();
        assert!(problem.starts_with("127.0.0.1 gave no usable answer: "), "{path}: {problem}");
    }
    assert_eq!(server.seen()[0].header("accept-encoding"), Some("gzip"));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_body_that_does_not_fit_into_the_memory_limit_ends_the_script() {
    let server = Server::start(|_| response("200 OK", &[], &vec![b'x'; 1024 * 1024])).await;
    let source = "function handle(url) pcall(goop.http.get, url) return 'went on' end";
    let tight = LuaConfig { max_memory_mb: 1, ..config() };
    let peer = Peer::with_http(tight, server.client(), &[("big.lua", source)]);
    let reply = peer.chat(&format!("!big {}", server.url("/"))).await.unwrap();
    assert!(reply.starts_with("Script error (ref "), "{reply}");
}

#[tokio::test]
async fn bytes_that_are_no_text_stay_as_they_are() {
    let all: Vec<u8> = (0..=255).collect();
    let server = Server::start(move |_| response("200 OK", &[], &all)).await;
    let source = "function handle(url)
        local _, body = goop.http.get(url)
        local same = #body == 256
        for i = 1, #body do same = same and body:byte(i) == i - 1 end
        return tostring(same)
    end";
    let peer = peer_on(server.client(), &[("bytes.lua", source)]);
    assert_eq!(peer.chat(&format!("!bytes {}", server.url("/"))).await.as_deref(), Some("true"));
}

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
async fn no_header_becomes_two_and_no_cookie_is_kept() {
    let server = Server::start(|_| response("200 OK", &["Set-Cookie: id=7"], b"")).await;
    let url = server.url("/");
    for (headers, problem) in [
        (json!({"X-A": "b\r\nX-C: d"}), "the header X-A holds a line break or another control character"),
        (json!({"X-A\nX-C": "d"}), "the header X-A\\nX-C has no valid name"),
        (json!({"Host": "other.example"}), "the header Host can't be set by a script"),
    ] {
        let results = get_with(server.client(), &[&url], headers).await;
        assert_eq!(refusal(&results[0]), problem);
    }
    assert!(server.seen().is_empty());
    get(server.client(), &[&url, &url]).await;
    assert_eq!(server.seen()[1].header("cookie"), None);
}

#[tokio::test]
async fn arguments_of_the_wrong_type_are_the_scripts_mistake() {
    let source = "function call()
        local function problem(...) local _, e = pcall(...) return e end
        return {
            problem(goop.http.get), problem(goop.http.get, {}), problem(goop.http.get, 'http://x.invalid', 'h'),
            problem(goop.http.get, 'http://x.invalid', {1}), problem(goop.http.get, 'http://x.invalid', {a = {}}),
            problem(goop.http.post, 'http://x.invalid', 'text/plain'),
        }
    end";
    let peer = peer_on(HttpClient::new(), &[("wrong.lua", source)]);
    assert_eq!(
        peer.call("wrong", json!({})).await.unwrap(),
        json!([
            "bad argument #1 to 'goop.http.get' (string expected, got no value)",
            "bad argument #1 to 'goop.http.get' (string expected, got table)",
            "bad argument #2 to 'goop.http.get' (table expected, got string)",
            "bad argument #2 to 'goop.http.get' (the names of headers must be strings)",
            "bad argument #2 to 'goop.http.get' (the values of headers must be strings)",
            "bad argument #3 to 'goop.http.post' (string expected, got no value)",
        ])
    );
}

#[tokio::test]
async fn http_switched_off_is_not_there() {
    let off = LuaConfig { http_enabled: false, ..config() };
    let peer = Peer::configured(off, &[("h.lua", "function handle() return tostring(goop.http) end")]);
    assert_eq!(peer.chat("!h").await.as_deref(), Some("nil"));
}

#[tokio::test]
async fn strange_responses_are_errors() {
    let server = Server::start(|seen| match seen.target() {
        "/large" => response("200 OK", &[&format!("X-A: {}", "x".repeat(64 * 1024))], b""),
        "/many" => {
            let many: Vec<String> = (0..200).map(|n| format!("X-{n}: 1")).collect();
            response("200 OK", &many.iter().map(String::as_str).collect::<Vec<_>>(), b"")
        }
        _ => b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
    })
    .await;
    let urls = [server.url("/large"), server.url("/many"), server.url("/ssh")];
    for result in get(server.client(), &[&urls[0], &urls[1], &urls[2]]).await {
        assert!(refusal(&result).starts_with("127.0.0.1 gave no usable answer: "), "{result}");
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
    let streams = tokio::time::timeout(super::TOO_LONG, all_there).await.expect("not all wait at once");
    assert_eq!(peer.call("quick", json!({})).await, Ok(json!("quick")), "all wait, and nobody is delayed");
    for mut stream in streams {
        tokio::io::AsyncWriteExt::write_all(&mut stream, &response("200 OK", &[], b"late")).await.unwrap();
    }
    for result in calls.join_all().await {
        assert_eq!(result.unwrap(), json!("late"));
    }
}
