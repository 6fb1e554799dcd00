//! The bytes of `fixtures/wire/`: what is read from them, and that exactly they are written.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use goop2::chat::{Message, MessageError, MessageKind};
use goop2::config::Config;
use goop2::data::Handler;
use goop2::p2p;
use goop2::peer_id::PeerId;
use goop2::script::{Caller, Engine};
use goop2::site::SiteServer;
use goop2::store::Database;
use serde_json::Value;

use crate::cli_support::fixture;
use crate::deployed_peer::{HOST, VISITOR, deployed_peer};
use crate::wire::hears;

/// Requests of the visitor and then the owner that build on each other, in order.
pub(crate) const DATA_BY_VISITOR: &[&str] = &[
    "tables",
    "describe",
    "describe-unknown",
    "describe-inner",
    "query-public",
    "query-owners",
    "query-own",
    "query-unknown-policy",
    "query-where",
    "query-where-beyond",
    "insert",
    "insert-forged",
    "insert-closed",
    "insert-email",
    "insert-unknown-policy",
    "update",
    "update-others",
    "delete",
    "delete-others",
    "create-table-visitor",
    "lua-list",
    "lua-call",
    "lua-call-score",
    "lua-call-error",
    "lua-call-unknown",
    "unknown-op",
    "not-json",
    "not-an-object",
];
const DATA_BY_OWNER: &[&str] = &[
    "owner-create-table",
    "owner-add-column",
    "owner-drop-column",
    "owner-rename-table",
    "owner-delete-table",
];
/// What deployed peers write otherwise than we do.
const DATA_OF_DEPLOYED: &[&str] = &["deployed-lua-call", "deployed-lua-list"];

pub(crate) fn capture(path: &str) -> String {
    fs::read_to_string(fixture("wire").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the captured exchanges or messages of a protocol.
pub(crate) fn captured(protocol: &str) -> BTreeSet<String> {
    let files = fs::read_dir(fixture("wire").join(protocol)).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn peer(id: &str) -> PeerId {
    PeerId::parse(id).unwrap()
}

fn caller(id: &str) -> Caller {
    Caller { peer: peer(id), label: String::new() }
}

#[test]
fn chat_messages_are_written_as_they_are_read() {
    let read = |name: &str| {
        let bytes = capture(&format!("chat/{name}.message"));
        Message::decode(bytes.as_bytes(), &peer(VISITOR), 1_800_000_000_000)
    };
    let expected = |id: &str, to: &str, kind, content: &str, timestamp| Message {
        id: format!("7f3d2a10-{id}"),
        from: peer(VISITOR),
        to: to.into(),
        kind,
        content: content.into(),
        timestamp,
        site_id: None,
    };
    let direct = |id, content, timestamp| expected(id, HOST, MessageKind::Direct, content, timestamp);
    let hello = direct("0001", "!hello \"Zoë\"\n& <all>", 1_771_061_400_123);
    let morning = expected("0002", "", MessageKind::Broadcast, "Good morning", 1_771_061_401_000);
    let mut page = expected("0003", HOST, MessageKind::Site, "On your page", 1_771_061_402_000);
    page.site_id = Some(HOST.to_owned());
    for (name, message) in [("direct", hello), ("broadcast", morning), ("site", page)] {
        assert_eq!(read(name).unwrap(), message, "{name}");
        let bytes = capture(&format!("chat/{name}.message"));
        assert_eq!(String::from_utf8(message.encode().unwrap()).unwrap(), bytes, "{name}");
    }
    assert_eq!(read("no-time").unwrap(), direct("0004", "When?", 1_800_000_000_000));
    assert_eq!(read("deployed").unwrap(), direct("0005", "a < b & 😀", 1_800_000_000_000));
    assert!(matches!(read("forged"), Err(MessageError::ForgedSender { .. })));
    assert_eq!(captured("chat").len(), 6, "a capture that no test reads");
}

#[tokio::test]
async fn site_exchanges_are_those_captured_in_both_directions() {
    let (_temp, dir) = deployed_peer();
    let site = SiteServer::new(dir.join("site"), dir.join("site/lua"));
    for name in captured("site") {
        let (request, reply) =
            (capture(&format!("site/{name}.request")), capture(&format!("site/{name}.reply")));
        let mut host = hears(request.as_str());
        p2p::serve_site(&mut host, Some(&site)).await.unwrap();
        assert_eq!(host.said(), reply, "{name}");
        assert!(host.closed);

        let Some(path) = request.strip_prefix("GET ").and_then(|rest| rest.strip_suffix('\n')) else {
            continue;
        };
        // A host may leave its end open: the size says what belongs to the answer.
        let mut visitor = hears(reply.as_str()).then_silent();
        let fetched = p2p::fetch_site(&mut visitor, path).await;
        assert_eq!(visitor.said(), request, "{name}");
        assert!(visitor.closed);
        match reply.strip_prefix("ERR ") {
            Some(reason) => {
                let error = fetched.unwrap_err().to_string();
                assert_eq!(error, format!("the peer refused: {}", reason.trim_end()), "{name}");
            }
            None => {
                let (mime, page) = fetched.unwrap();
                assert_eq!(mime, "text/html; charset=utf-8");
                assert_eq!(page, fs::read(dir.join("site/index.html")).unwrap());
            }
        }
    }
}

/// The handler of the deployed peer's folder.
fn handler(dir: &std::path::Path) -> Handler {
    let config = Config::load(dir).unwrap();
    let own = Caller { peer: peer(HOST), label: config.profile.label.clone() };
    let engine = Engine::new(config.lua, dir, own).unwrap();
    Handler::new(Some(Arc::new(Database::open(dir).unwrap())), Some(Arc::new(engine)), peer(HOST))
}

#[tokio::test]
async fn data_requests_are_answered_as_captured() {
    let (_temp, dir) = deployed_peer();
    let handler = handler(&dir);
    let mut known = BTreeSet::new();
    for (by, names) in [(VISITOR, DATA_BY_VISITOR), (HOST, DATA_BY_OWNER)] {
        for name in names {
            let mut host = hears(capture(&format!("data/{name}.request"))).then_silent();
            let caller = caller(by);
            p2p::serve_data(&mut host, async |line| handler.respond(&caller, &line).await).await.unwrap();
            assert_eq!(host.said(), capture(&format!("data/{name}.reply")), "{name}");
            assert!(host.closed);
            known.insert((*name).to_owned());
        }
    }
    // Spaces, order and fields that we don't know make no difference.
    let mut host = hears(capture("data/deployed-lua-call.request"));
    let visitor = caller(VISITOR);
    p2p::serve_data(&mut host, async |line| handler.respond(&visitor, &line).await).await.unwrap();
    assert_eq!(host.said(), capture("data/lua-call.reply"));
    known.extend(DATA_OF_DEPLOYED.iter().map(|name| (*name).to_owned()));
    assert_eq!(captured("data"), known, "a capture that no test reads");
}

#[tokio::test]
async fn data_requests_are_sent_as_captured_and_their_answers_read() {
    for name in DATA_BY_VISITOR.iter().chain(DATA_BY_OWNER) {
        let (request, reply) =
            (capture(&format!("data/{name}.request")), capture(&format!("data/{name}.reply")));
        let Ok(value) = serde_json::from_str::<Value>(&request) else { continue };
        let mut visitor = hears(reply.as_str()).then_silent();
        let answer = p2p::request_data(&mut visitor, &value).await.unwrap();
        assert_eq!(visitor.said(), request, "{name}");
        assert!(visitor.closed);
        assert_eq!(answer, serde_json::from_str::<Value>(&reply).unwrap(), "{name}");
    }
}

#[tokio::test]
async fn the_label_is_told_as_captured() {
    let label = capture("content/label.reply");
    let mut host = hears("");
    p2p::serve_content(&mut host, "Ada's peer").await.unwrap();
    assert_eq!(host.said(), label);
    let mut visitor = hears(label.as_str()).then_silent();
    assert_eq!(p2p::fetch_content(&mut visitor).await.unwrap(), "Ada's peer");
}
