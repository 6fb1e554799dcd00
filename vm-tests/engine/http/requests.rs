//! What a script asks for.

use goop2::config::LuaConfig;
use goop2::script::{HttpClient, Network, Runner, Surroundings};
use goop2::vm::{Entry, Stats};
use serde_json::json;

use super::super::{Peer, bare_surroundings, config};
use super::server::{Server, response};
use super::{get, get_with, peer_on, refusal};

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
        let surroundings = Surroundings { http, ..bare_surroundings() };
        let runner = Runner::load("r.lua".as_ref(), source.as_bytes(), surroundings).unwrap();
        let (result, Stats { http_requests, .. }) = runner.run(Entry::Handle(server.url("/")));
        (result.is_ok(), http_requests)
    };
    assert_eq!(requests(Some(server.client()), source), (true, 2));
    assert_eq!(requests(None, "function handle() return tostring(goop.http) end"), (true, 0));
    assert_eq!(requests(None, source), (false, 0));
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
