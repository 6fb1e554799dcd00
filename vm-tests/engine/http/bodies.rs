//! What comes back.

use goop2::config::LuaConfig;
use serde_json::json;

use super::super::{Peer, config};
use super::server::{Server, response};
use super::{get, peer_on, refusal};

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
