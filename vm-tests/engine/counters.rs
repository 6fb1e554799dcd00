//! What the owner learns of what scripts do.

use goop2::config::LuaConfig;
use serde_json::json;

use super::{Peer, caller, config, wait_for};
use goop2::script::ScriptEvent;

#[tokio::test]
async fn calls_failures_and_refusals_are_counted_by_script() {
    let limits = LuaConfig { rate_limit_per_peer: 5, ..config() };
    let peer = Peer::configured(
        limits,
        &[
            ("f.lua", "function call(r) if r.params.fail then local x = nil + 1 end return 1 end"),
            ("loop.lua", "function handle() while true do end end"),
            ("never.lua", "function handle() end"),
        ],
    );
    peer.call("f", json!({})).await.unwrap();
    peer.call("f", json!({})).await.unwrap();
    let refused = peer.call("f", json!({"fail": true})).await.unwrap_err();
    peer.chat("!loop").await.unwrap();
    peer.chat("!nothing").await.unwrap();
    peer.call("f", json!({})).await.unwrap_err();
    let stats = peer.engine.stats();
    let [f, looped] = stats.as_slice() else { panic!("{stats:?}") };
    assert_eq!((f.script.as_str(), f.calls, f.rate_limited), ("f", 3, 1));
    assert_eq!(f.failures.clone().into_iter().collect::<Vec<_>>(), [("runtime", 1)]);
    assert!(f.fuel > 0 && f.peak_memory_bytes > 0 && f.p50_us > 0 && f.p50_us <= f.p99_us, "{f:?}");
    let error = f.last_error.as_ref().unwrap();
    assert_eq!(refused, format!("Script error (ref {})", error.reference));
    assert!(error.message.starts_with("f.lua:1: attempt to perform arithmetic"), "{error:?}");
    assert_eq!((error.kind, error.caller.as_str()), ("runtime", "Ann"));
    assert_eq!((looped.calls, looped.failures["timeout"]), (1, 1));
    assert!(looped.p99_us >= 1_000_000, "{looped:?}");
}

#[tokio::test]
async fn the_counters_of_a_deleted_script_go_with_it() {
    let peer = Peer::with(&[("a.lua", "function handle() end")]);
    peer.chat("!a").await;
    assert_eq!(peer.engine.stats().len(), 1);
    let mut events = peer.engine.events();
    std::fs::remove_file(peer.script_path("a.lua")).unwrap();
    wait_for(&mut events, |event| matches!(event, ScriptEvent::Removed { .. })).await;
    assert_eq!(peer.engine.stats(), []);
}

#[tokio::test]
async fn every_ended_invocation_is_reported_to_who_listens() {
    let peer = Peer::with(&[("f.lua", "function call() error('no') end function handle() return 'x' end")]);
    let mut reports = peer.engine.invocations();
    peer.engine.call(&caller("Bob"), "f", json!({})).await.unwrap_err();
    peer.chat("!f").await;
    peer.chat("!nothing").await;
    let report = reports.recv().await.unwrap();
    assert_eq!((report.script.as_str(), report.is_function, report.caller.as_str()), ("f", true, "Bob"));
    assert_eq!(report.error.as_ref().map(|error| error.message.as_str()), Some("f.lua:1: no"));
    let report = reports.recv().await.unwrap();
    assert_eq!((report.is_function, &report.error), (false, &None));
    assert!(report.stats.fuel > 0);
    assert!(reports.is_empty(), "what names no script is no invocation");
}
