//! Announcements without measure, written by hand: no library would send them.

use std::time::Duration;

use futures::AsyncWriteExt;
use futures::future::pending;
use libp2p::Multiaddr;
use libp2p::core::muxing::SubstreamBox;
use libp2p::identity::Keypair;
use serde_json::json;
use tokio::time::{interval, timeout};

use crate::cli_support::{RunningPeer, goop2, new_peer};
use crate::nodes::{OwnersLog, PATIENCE, TestNode, present};
use crate::stranger::{GOSSIP, Stranger, accepted};

const TOPIC: &[u8] = b"goop.presence.v1";

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A field of a protocol buffer that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(bytes.len()), bytes].concat()
}

/// A frame with one message that `author` signed.
fn frame(author: &Keypair, data: &[u8], number: u64) -> Vec<u8> {
    frame_signed_by(author, author, data, &number.to_be_bytes())
}

fn frame_signed_by(signer: &Keypair, author: &Keypair, data: &[u8], number: &[u8]) -> Vec<u8> {
    let from = author.public().to_peer_id().to_bytes();
    let message = [field(1, &from), field(2, data), field(3, number), field(4, TOPIC)].concat();
    let signature = signer.sign(&[b"libp2p-pubsub:", &message[..]].concat()).unwrap();
    let frame = field(2, &[message, field(5, &signature)].concat());
    [varint(frame.len()), frame].concat()
}

fn announcement(author: &Keypair, label: &str) -> Vec<u8> {
    let peer = author.public().to_peer_id().to_base58();
    json!({"type": "online", "peerId": peer, "content": label, "ts": 1}).to_string().into_bytes()
}

/// A stranger with a stream for gossip.
async fn gossiping(address: &Multiaddr) -> (Stranger, SubstreamBox) {
    let stranger = Stranger::connected_to(address).await;
    let mut stream = stranger.propose(GOSSIP, b"").await.unwrap();
    timeout(PATIENCE, accepted(&mut stream, GOSSIP)).await.expect("no gossip is taken").unwrap();
    (stranger, stream)
}

async fn say(stream: &mut SubstreamBox, frame: &[u8]) {
    stream.write_all(frame).await.unwrap();
    stream.flush().await.unwrap();
}

/// Waits until somebody new is seen, and the flood has brought nobody.
async fn others_are_heard(host: &mut TestNode) {
    let visitor = TestNode::start(present("Bob"));
    visitor.handle.dial(host.address().await).await.unwrap();
    host.sees_online("Bob").await;
}

#[tokio::test]
async fn an_announcement_that_is_too_long_is_dropped_and_told_once() {
    let log = OwnersLog::start();
    let mut host = TestNode::start(present("host"));
    let (_stranger, mut stream) = gossiping(&host.address().await).await;
    let author = Keypair::generate_ed25519();
    for number in 0..30 {
        say(&mut stream, &frame(&author, &announcement(&author, &"x".repeat(4096)), number)).await;
    }
    log.has("an announcement was too long").await;
    // By the same stream: it was not worth ending.
    say(&mut stream, &frame(&author, &announcement(&author, "short"), 31)).await;
    host.sees_online("short").await;
    others_are_heard(&mut host).await;
    assert_eq!(log.told("an announcement was too long"), 1);
}

/// Deployed peers pass on what they find signed, whatever number it has; that is no fault of theirs.
#[tokio::test]
async fn who_passes_on_what_only_this_peer_refuses_is_heard() {
    let log = OwnersLog::start();
    let mut host = TestNode::start(present("host"));
    let (_stranger, mut stream) = gossiping(&host.address().await).await;
    let author = Keypair::generate_ed25519();
    for _ in 0..30 {
        say(&mut stream, &frame_signed_by(&author, &author, &announcement(&author, "odd"), b"abc")).await;
    }
    log.has("an announcement was not passed on").await;
    say(&mut stream, &frame(&author, &announcement(&author, "even"), 1)).await;
    host.sees_online("even").await;
    assert_eq!(log.told("an announcement was not passed on"), 1);
}

/// Whoever can sign for any number of identities fills no more than its share.
#[tokio::test]
async fn a_neighbour_that_brings_peers_without_end_has_a_share_of_the_table() {
    let log = OwnersLog::start();
    let mut host = TestNode::start(present("host"));
    let (_stranger, mut stream) = gossiping(&host.address().await).await;
    let sybils: Vec<_> = (0..280).map(|_| Keypair::generate_ed25519()).collect();
    // As fast as a neighbour may, a frame and a message for each: what is faster is dropped for that reason.
    let mut pace = interval(Duration::from_millis(45));
    for (number, sybil) in sybils.iter().enumerate() {
        if number > 80 {
            pace.tick().await;
        }
        say(&mut stream, &frame(sybil, &announcement(sybil, "sybil"), 1)).await;
    }
    log.has("too many peers announce themselves").await;
    others_are_heard(&mut host).await;
    assert_eq!(log.told("too many peers announce themselves"), 1);
    let sybils = host.handle.online().iter().filter(|present| present.label == "sybil").count();
    assert_eq!(sybils, 256);
}

/// Each was a line in the owner's log, of a library's.
#[test]
fn forgeries_without_end_are_told_once() {
    let (_temp, dir) = new_peer("blank");
    let peer = RunningPeer::start(&dir);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (_stranger, mut stream) = gossiping(&peer.address().parse().unwrap()).await;
        let (signer, author) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        for number in 0..1000_u32 {
            let forged =
                frame_signed_by(&signer, &author, &announcement(&author, "forged"), &[number as u8; 8]);
            say(&mut stream, &forged).await;
        }
    });
    peer.logged("an announcement was not passed on");
    goop2(["get", peer.address(), "/"]).succeeded();
    let stopped = peer.stop();
    assert!(!stopped.stdout.contains("forged"), "{}", stopped.stdout);
    // One of each bound.
    assert!(stopped.stderr.lines().count() < 5, "{}", stopped.stderr);
}

/// The length of a frame is the stranger's to write; no more is read than a frame may have, and the window of
/// a stream beside it.
#[tokio::test]
async fn a_frame_that_says_it_is_a_gigabyte_is_not_read() {
    let mut host = TestNode::start(present("host"));
    let (_stranger, mut stream) = gossiping(&host.address().await).await;
    say(&mut stream, &varint(1 << 30)).await;
    let mut taken = 0;
    let flood = async {
        while stream.write_all(&[0; 4096]).await.is_ok() && stream.flush().await.is_ok() {
            taken += 4096;
        }
        pending::<()>().await;
    };
    tokio::select! {
        () = others_are_heard(&mut host) => {}
        () = flood => {}
    }
    assert!(taken < 1024 * 1024, "{taken}");
}
