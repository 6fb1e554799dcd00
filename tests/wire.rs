//! The four protocols byte for byte, and their limits, on a stream in memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use goop2::chat::MAX_MESSAGE_BYTES;
use goop2::p2p::{
    self, MAX_DATA_ANSWER_BYTES, MAX_DATA_REQUEST_BYTES, MAX_LABEL_BYTES, MAX_SITE_BYTES, ProtocolError,
};
use goop2::site::SiteServer;
use serde_json::json;
use tokio::time::Instant;

/// One side of a stream: what the other side sends, whether it then half-closes or falls silent,
/// and how much of what we write it takes.
pub(crate) struct Wire {
    input: io::Cursor<Vec<u8>>,
    silent: bool,
    takes: usize,
    output: Vec<u8>,
    pub(crate) closed: bool,
}

pub(crate) fn hears(input: impl Into<Vec<u8>>) -> Wire {
    Wire {
        input: io::Cursor::new(input.into()),
        silent: false,
        takes: usize::MAX,
        output: Vec::new(),
        closed: false,
    }
}

impl Wire {
    pub(crate) fn then_silent(mut self) -> Self {
        self.silent = true;
        self
    }

    pub(crate) fn said(&self) -> &str {
        std::str::from_utf8(&self.output).unwrap()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        match io::Read::read(&mut self.input, room) {
            Ok(0) if self.silent => Poll::Pending,
            read => Poll::Ready(read),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let room = self.takes - self.output.len();
        if room == 0 {
            return Poll::Pending;
        }
        let taken = bytes.len().min(room);
        self.output.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}

fn site_with(text: &str) -> (tempfile::TempDir, SiteServer) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("index.html"), text).unwrap();
    let server = SiteServer::new(dir.path(), dir.path().join("lua"));
    (dir, server)
}

#[tokio::test]
async fn chat_is_everything_until_the_half_close_without_its_newline() {
    for (sent, read) in
        [("{\"a\":1}", "{\"a\":1}"), ("{\"a\":1}\n", "{\"a\":1}"), ("{\n}\n", "{\n}"), ("", "")]
    {
        let mut wire = hears(sent);
        assert_eq!(p2p::read_chat(&mut wire).await.unwrap(), read.as_bytes());
        assert!(wire.closed && wire.output.is_empty());
    }
    let mut wire = hears("");
    p2p::write_chat(&mut wire, b"{}\n").await.unwrap();
    assert!(wire.closed);
    assert_eq!(wire.said(), "{}\n");
}

/// The opener of a stream may half-close, and need not: a message from one that did not was waited out
/// for 30 s and then dropped, although it had come whole.
#[tokio::test(start_paused = true)]
async fn a_chat_message_is_whole_at_the_end_of_its_object() {
    for (sent, read) in [
        (r#"{"a":1}"#, r#"{"a":1}"#),
        ("{\"a\":1}\n", "{\"a\":1}"),
        ("\r\n {\"a\":{\"b\":[{}]}}\n", "\r\n {\"a\":{\"b\":[{}]}}"),
        (r#"{"a":"}{\\\"}"}"#, r#"{"a":"}{\\\"}"}"#),
        (r#"{"a":"\\"}{"b":2}"#, r#"{"a":"\\"}"#),
    ] {
        let mut wire = hears(sent).then_silent();
        assert_eq!(p2p::read_chat(&mut wire).await.unwrap(), read.as_bytes());
        assert!(wire.closed, "a sender that waits for the end has it");
    }
    for unfinished in ["", "{\"a\":\"}\"", "[{}]", "x{}"] {
        let error = p2p::read_chat(&mut hears(unfinished).then_silent()).await.unwrap_err();
        assert!(matches!(error, ProtocolError::Timeout { .. }), "{error}");
    }
}

#[tokio::test]
async fn chat_of_one_mebibyte_is_read_and_one_byte_more_is_not() {
    let mut exact = vec![b'x'; MAX_MESSAGE_BYTES];
    assert_eq!(p2p::read_chat(&mut hears(exact.clone())).await.unwrap().len(), MAX_MESSAGE_BYTES);
    exact.push(b'x');
    exact.resize(MAX_MESSAGE_BYTES * 3, b'x');
    let mut wire = hears(exact);
    assert!(matches!(p2p::read_chat(&mut wire).await, Err(ProtocolError::TooLong { .. })));
    // What is read ahead is a buffer's worth.
    assert!(wire.input.position() < MAX_MESSAGE_BYTES as u64 + 64 * 1024);
}

#[tokio::test(start_paused = true)]
async fn a_chat_receiver_that_keeps_the_stream_open_has_the_message_nevertheless() {
    let mut wire = hears("").then_silent();
    p2p::write_chat(&mut wire, b"{}").await.unwrap();
    assert_eq!(wire.said(), "{}");
}

#[tokio::test]
async fn site_requests_are_answered_byte_for_byte() {
    let (_dir, site) = site_with("hello");
    let long = format!("GET /{}\n", "a".repeat(10_000));
    for (site, request, answer) in [
        (Some(&site), "GET /\n", "OK text/html; charset=utf-8 5\nhello"),
        (Some(&site), "GET /", "OK text/html; charset=utf-8 5\nhello"),
        (Some(&site), "GET /index.html\nGET /other\n", "OK text/html; charset=utf-8 5\nhello"),
        (Some(&site), "GET /no\n", "ERR not found\n"),
        (Some(&site), "GET /lua/x.lua\n", "ERR forbidden\n"),
        (Some(&site), "HELLO\n", "ERR bad request\n"),
        (Some(&site), long.as_str(), "ERR bad request\n"),
        (None, "GET /\n", "ERR site disabled\n"),
    ] {
        let mut wire = hears(request);
        p2p::serve_site(&mut wire, site).await.unwrap();
        assert_eq!(wire.said(), answer, "{request:.40}");
        assert!(wire.closed);
    }
}

#[tokio::test]
async fn site_answers_are_read_as_deployed_peers_write_them() {
    let mut wire = hears("OK text/html; charset=utf-8 5\nhello");
    let (mime, bytes) = p2p::fetch_site(&mut wire, "/a b.html").await.unwrap();
    assert_eq!((mime.as_str(), bytes.as_slice()), ("text/html; charset=utf-8", b"hello".as_slice()));
    assert_eq!(wire.said(), "GET /a b.html\n");
    for (answer, message) in [
        ("ERR not found\n".to_owned(), "the peer refused: not found"),
        ("ERR forbidden".to_owned(), "the peer refused: forbidden"),
        ("OK text/html 9\nhello".to_owned(), "the site file ended after 5 of 9 bytes"),
        (format!("OK text/html {}\n", MAX_SITE_BYTES + 1), "longer than the 52428800 bytes"),
        ("OK text/html -1\n".to_owned(), "malformed"),
        ("OK 5\n".to_owned(), "malformed"),
        ("<html>\u{1b}[2J".to_owned(), "the site answer is malformed: <html> [2J"),
        (format!("OK {}", "x".repeat(100_000)), "the site answer is longer than the 1024 bytes"),
        (String::new(), "closed the stream without the site answer"),
    ] {
        let error = p2p::fetch_site(&mut hears(answer), "/").await.unwrap_err().to_string();
        assert!(error.contains(message), "{error} should contain {message}");
    }
    assert!(p2p::fetch_site(&mut hears(""), "/\nGET /x").await.is_err());
}

#[tokio::test]
async fn data_is_a_line_each_way() {
    let mut wire = hears("{\"op\":\"tables\"}\nrest");
    p2p::serve_data(&mut wire, async |line| [b"got ".as_slice(), &line].concat()).await.unwrap();
    assert_eq!(wire.said(), "got {\"op\":\"tables\"}\n");
    assert!(wire.closed);

    let mut wire = hears("{\"ok\":true,\"data\":[1]}\n");
    let answer = p2p::request_data(&mut wire, &json!({"op": "x", "text": "a\nb"})).await.unwrap();
    assert_eq!(answer, json!({"ok": true, "data": [1]}));
    assert_eq!(wire.said(), "{\"op\":\"x\",\"text\":\"a\\nb\"}\n");
}

#[tokio::test]
async fn a_data_line_that_is_too_long_is_refused_unread_and_unanswered() {
    let mut wire = hears(vec![b'x'; MAX_DATA_REQUEST_BYTES * 3]);
    p2p::serve_data(&mut wire, async |_| panic!("must not be handed on")).await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(wire.said()).unwrap();
    let error = "the data request is longer than the 1048576 bytes allowed";
    assert_eq!(answer, json!({"ok": false, "error": error}));
    // What is read ahead is a buffer's worth.
    assert!(wire.input.position() < MAX_DATA_REQUEST_BYTES as u64 + 64 * 1024);

    let mut wire = hears("{}\n");
    p2p::serve_data(&mut wire, async |_| vec![b'x'; MAX_DATA_ANSWER_BYTES + 1]).await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(wire.said()).unwrap();
    assert_eq!(answer, json!({"ok": false, "error": "the answer is too long; ask for fewer rows"}));

    let mut wire = hears(vec![b'x'; MAX_DATA_ANSWER_BYTES * 2]);
    let error = p2p::request_data(&mut wire, &json!({})).await.unwrap_err();
    assert!(matches!(error, ProtocolError::TooLong { .. }), "{error}");

    let mut wire = hears("");
    let error = p2p::request_data(&mut wire, &json!("x".repeat(MAX_DATA_REQUEST_BYTES))).await.unwrap_err();
    assert!(matches!(error, ProtocolError::TooLong { .. }), "{error}");
    assert!(wire.output.is_empty());
}

#[tokio::test]
async fn the_label_is_one_line() {
    let mut wire = hears("");
    p2p::serve_content(&mut wire, "Anna\nB").await.unwrap();
    assert_eq!(wire.said(), "Anna B\n");
    assert!(wire.closed);
    assert_eq!(p2p::fetch_content(&mut hears("Zoë\n")).await.unwrap(), "Zoë");
    assert_eq!(p2p::fetch_content(&mut hears("\n")).await.unwrap(), "");
    for label in [vec![b'x'; MAX_LABEL_BYTES + 1], vec![0xff, b'\n'], vec![]] {
        assert!(p2p::fetch_content(&mut hears(label)).await.is_err());
    }
}

/// A silent peer holds a stream for the time that is allowed and no longer. The clock is paused:
/// it jumps to the next timer when nothing else can happen.
#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_cut_off() {
    let start = Instant::now();
    let elapsed = || start.elapsed().as_secs();
    let (_dir, site) = site_with("x");

    let error = p2p::serve_site(&mut hears("GET /ind").then_silent(), Some(&site)).await.unwrap_err();
    assert!(
        matches!(error, ProtocolError::Timeout { limit, .. } if limit == Duration::from_secs(10)),
        "{error}"
    );
    assert_eq!(elapsed(), 10);

    let error = p2p::serve_data(&mut hears("{").then_silent(), async |_| vec![]).await.unwrap_err();
    assert!(matches!(error, ProtocolError::Timeout { .. }), "{error}");
    let error = p2p::read_chat(&mut hears("{").then_silent()).await.unwrap_err();
    assert!(matches!(error, ProtocolError::Timeout { .. }), "{error}");
    assert_eq!(elapsed(), 70);

    let error = p2p::fetch_content(&mut hears("An").then_silent()).await.unwrap_err();
    assert!(matches!(error, ProtocolError::Timeout { .. }), "{error}");
    assert_eq!(elapsed(), 80);

    let error = p2p::request_data(&mut hears("").then_silent(), &json!({})).await.unwrap_err();
    assert!(matches!(error, ProtocolError::Timeout { .. }), "{error}");
    assert_eq!(elapsed(), 170);

    let error = p2p::fetch_site(&mut hears("OK text/html 9\nhe").then_silent(), "/").await.unwrap_err();
    assert_eq!(error.to_string(), "fetching a site file: no progress for 20 s");
}

#[tokio::test(start_paused = true)]
async fn a_visitor_who_stops_reading_is_cut_off() {
    let (_dir, site) = site_with(&"x".repeat(1000));
    let mut wire = hears("GET /\n");
    wire.takes = 100;
    let error = p2p::serve_site(&mut wire, Some(&site)).await.unwrap_err();
    assert_eq!(error.to_string(), "sending a site file: no progress for 20 s");
    assert_eq!(wire.output.len(), 100);
}

/// Computing an answer is not the peer's silence: the time for that is not counted against it.
#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_long_is_still_sent() {
    let mut wire = hears("{}\n");
    let slow = async |_| {
        tokio::time::advance(Duration::from_secs(60)).await;
        b"done".to_vec()
    };
    p2p::serve_data(&mut wire, slow).await.unwrap();
    assert_eq!(wire.said(), "done\n");
    let never = p2p::serve_data(&mut hears("{}\n"), async |_| std::future::pending().await).await;
    assert!(matches!(never, Err(ProtocolError::Timeout { limit, .. }) if limit == Duration::from_secs(75)));
}

/// Takes one byte of what we write every ten seconds.
struct Trickle(Pin<Box<tokio::time::Sleep>>);

impl AsyncRead for Trickle {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(io::Read::read(&mut &b"GET /\n"[..], room))
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        std::task::ready!(self.0.as_mut().poll(cx));
        self.0.as_mut().reset(Instant::now() + Duration::from_secs(10));
        Poll::Ready(Ok(1))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A byte now and then once held a stream for ten minutes.
#[tokio::test(start_paused = true)]
async fn a_visitor_that_takes_a_byte_at_a_time_is_given_up() {
    let (_dir, site) = site_with(&"x".repeat(100_000));
    let start = Instant::now();
    let mut visitor = Trickle(Box::pin(tokio::time::sleep(Duration::ZERO)));
    let error = p2p::serve_site(&mut visitor, Some(&site)).await.unwrap_err();
    assert_eq!(error.to_string(), "sending a site file: no progress for 20 s");
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
}
