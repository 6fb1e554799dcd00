//! The peer from outside: the contents page of one test binary.
//!
//! - `wire_captures`: formats against the bytes in `fixtures/wire/`
//! - `deployed_peer`: the folder of a deployed peer, opened
//! - `interop`, `interop_peer`: the built program and a peer on js-libp2p, each asking the other
//! - `store`, `data`, `data_filter`, `data_visitors`: tables, policies, what a stranger can and can't ask of
//!   the database, and how much of it they may fill; `data_model` holds all of it against a model
//! - `site`, `chat`, `chat_history`, `identity`, `wire`: each part by itself, byte for byte
//! - `hostile`: chat and data lines at their worst
//! - `mesh`, `ping`, `presence`, `relay`: real nodes over real connections; `nodes` has what they share
//! - `bounds`: strangers that misbehave, and visitors who must not notice; `stranger` is one under the test's control
//! - `besieged`, `gossip_flood`: each bound on strangers met again and again: it holds, others are served, and
//!   the owner is told once
//! - `cli`, `cli_check`, `cli_config`, `cli_run`, `cli_peer`: the built program: one process, and two that talk to each other
//! - `cli_unread`: a peer whose output nobody reads
//! - `cli_kv`: processes that share what scripts keep, and are killed

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers"
)]

mod besieged;
mod bounds;
mod chat;
mod chat_history;
mod cli;
mod cli_check;
mod cli_config;
mod cli_kv;
mod cli_peer;
mod cli_run;
mod cli_support;
mod cli_unread;
mod data;
mod data_filter;
mod data_model;
mod data_visitors;
mod deployed_peer;
mod gossip_flood;
mod hostile;
mod identity;
mod interop;
mod interop_peer;
mod mesh;
mod nodes;
mod ping;
mod presence;
mod relay;
mod site;
mod store;
mod stranger;
mod wire;
mod wire_captures;
