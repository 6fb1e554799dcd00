//! Many scripts at once.

use goop2::config::LuaConfig;
use tokio::task::JoinSet;

use super::{Inbox, Peer, caller, config};

const ECHO: &str = "function handle(args) return '[' .. args .. ']' end";
const LOOP: &str = "function handle() while true do end end";

/// The replies to so many `text`s at once.
async fn at_once(peer: &Peer, count: usize, text: &str) -> Vec<String> {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let (engine, text) = (peer.engine.clone(), text.to_owned());
        calls.spawn(async move {
            let inbox = Inbox::default();
            engine.dispatch(&caller("Ann"), &text, &inbox).await;
            inbox.0.into_inner().pop().unwrap().1
        });
    }
    calls.join_all().await
}

#[tokio::test]
async fn busy_scripts_do_not_keep_others_waiting() {
    let peer = Peer::with(&[("echo.lua", ECHO), ("loop.lua", LOOP)]);
    let spin = || async { peer.chat("!loop").await.unwrap() };
    let spinning = async { tokio::join!(spin(), spin(), spin(), spin(), spin(), spin()) };
    let answered = async {
        let mut answered = 0;
        while answered < 20 {
            assert_eq!(peer.chat("!echo").await.as_deref(), Some("[]"));
            answered += 1;
        }
        answered
    };
    // The spinning ones end at their deadline; the others are all done long before.
    tokio::select! {
        biased;
        answered = answered => assert_eq!(answered, 20),
        _ = spinning => panic!("20 small commands took longer than the deadline of the busy ones"),
    }
}

#[tokio::test]
async fn too_many_at_once_are_refused_at_once() {
    let config = LuaConfig { max_running: 4, max_waiting: 4, ..config() };
    let peer = Peer::configured(config, &[("loop.lua", LOOP)]);
    let replies = at_once(&peer, 10, "!loop").await;
    let busy = replies.iter().filter(|reply| *reply == "Busy, try again later").count();
    assert_eq!(busy, 10 - 3 - 3, "the last place of each kind is for other scripts: {replies:?}");
    assert_eq!(peer.engine.stats()[0].busy, 4);
}

/// Strangers who called one slow script often enough had every place, and all other scripts were busy.
#[tokio::test]
async fn a_slow_script_that_is_called_too_much_leaves_places_for_others() {
    let config = LuaConfig { max_running: 8, max_waiting: 8, ..config() };
    let scripts = [("echo.lua", ECHO), ("loop.lua", LOOP), ("loop2.lua", LOOP)];
    let peer = Peer::configured(config, &scripts);
    let spinning = async { tokio::join!(at_once(&peer, 40, "!loop"), at_once(&peer, 40, "!loop2")) };
    tokio::pin!(spinning);
    let small = async {
        // The calls of the others come first.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        for _ in 0..5 {
            assert_eq!(peer.chat("!echo x").await.as_deref(), Some("[x]"));
        }
    };
    tokio::select! {
        biased;
        _ = &mut spinning => panic!("five small commands took longer than the deadline of the busy ones"),
        () = small => {}
    }
    let (replies, _) = spinning.await;
    assert!(replies.iter().any(|reply| reply == "Busy, try again later"), "{replies:?}");
}

#[tokio::test]
async fn what_waits_for_a_place_is_answered_in_the_end() {
    let config = LuaConfig { max_running: 1, max_waiting: 1_000, ..config() };
    let peer = Peer::configured(config, &[("echo.lua", ECHO)]);
    let replies = at_once(&peer, 500, "!echo x").await;
    assert!(replies.iter().all(|reply| reply == "[x]"), "{replies:?}");
}

/// Each would hold a thread for its whole second if scripts had threads.
#[tokio::test]
async fn hundreds_of_busy_scripts_share_the_cores_and_end_together() {
    let config = LuaConfig { max_running: 400, ..config() };
    let peer = Peer::configured(config, &[("echo.lua", ECHO), ("loop.lua", LOOP)]);
    let spinning = at_once(&peer, 250, "!loop");
    tokio::pin!(spinning);
    let small = async {
        for _ in 0..5 {
            assert_eq!(peer.chat("!echo").await.as_deref(), Some("[]"));
        }
    };
    tokio::select! {
        biased;
        _ = &mut spinning => panic!("five small commands took longer than the deadline of the busy ones"),
        () = small => {}
    }
    assert!(spinning.await.iter().all(|reply| reply.starts_with("Script error (ref ")));
}

#[tokio::test]
async fn closing_waits_for_what_runs_and_later_calls_are_busy() {
    let peer = Peer::with(&[("loop.lua", LOOP)]);
    let (running, ()) = tokio::join!(peer.chat("!loop"), async {
        tokio::task::yield_now().await;
        peer.engine.close().await;
    });
    assert!(running.unwrap().starts_with("Script error (ref "));
    assert_eq!(peer.chat("!loop").await.as_deref(), Some("Busy, try again later"));
}

#[tokio::test]
async fn closing_refuses_what_still_waits() {
    let config = LuaConfig { max_running: 1, ..config() };
    let peer = Peer::configured(config, &[("loop.lua", LOOP)]);
    let (mut replies, ()) = tokio::join!(biased; at_once(&peer, 2, "!loop"), async {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        peer.engine.close().await;
    });
    replies.sort();
    assert_eq!(replies[0], "Busy, try again later");
    assert!(replies[1].starts_with("Script error (ref "), "{replies:?}");
}

/// An embedder's executor need not be tokio's.
#[test]
fn the_engine_needs_no_runtime_of_its_caller() {
    let peer = Peer::with(&[
        ("echo.lua", ECHO),
        ("fails.lua", "function handle() goop.kv.set('k', 'v') error('on purpose') end"),
    ]);
    let waker = std::task::Waker::from(std::sync::Arc::new(Unpark(std::thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    let mut asked = Box::pin(async {
        assert_eq!(peer.chat("!echo x").await.as_deref(), Some("[x]"));
        assert_eq!(peer.chat("!fails").await.as_deref(), Some("on purpose"));
        assert_eq!(peer.call("none", serde_json::Value::Null).await.unwrap_err(), "function not found: none");
        peer.engine.close().await;
        assert_eq!(peer.chat("!echo").await.as_deref(), Some("Busy, try again later"));
    });
    while asked.as_mut().poll(&mut context).is_pending() {
        std::thread::park();
    }
}

/// Wakes a thread that waits for a future.
struct Unpark(std::thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}
