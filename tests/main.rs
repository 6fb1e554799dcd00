//! The peer from outside: the contents page of one test binary.
//!
//! - `store`, `data`, `data_filter`: tables, policies, what a stranger can and can't ask of the database
//! - `site`, `chat`, `identity`, `wire`: each part by itself, byte for byte
//! - `wire_captures`: the same, against the bytes in `fixtures/wire/`
//! - `deployed_peer`: the folder of a deployed peer, opened
//! - `interop`, `interop_peer`: the built program and a peer on js-libp2p, each asking the other
//! - `mesh`: real nodes over real connections
//! - `cli`, `cli_run`, `cli_peer`: the built program: one process, and two that talk to each other

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers"
)]

mod chat;
mod cli;
mod cli_peer;
mod cli_run;
mod cli_support;
mod data;
mod data_filter;
mod deployed_peer;
mod identity;
mod interop;
mod interop_peer;
mod mesh;
mod site;
mod store;
mod wire;
mod wire_captures;
