//! `goop.http`, against real servers on this machine.
//!
//! - `addresses`: where a request may lead, redirects and certificates included
//! - `bodies`: what comes back, however much and however broken
//! - `fairness`: what one script's requests leave for another's
//! - `requests`: what a script asks for, and how it is told what came of it
//! - `server`: a web server of a test's own
//! - `waiting`: requests that take their time

mod addresses;
mod bodies;
mod fairness;
mod requests;
mod server;
mod waiting;

use goop2::config::LuaConfig;
use goop2::script::HttpClient;
use serde_json::{Value as Json, json};

use super::{Peer, config};

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
