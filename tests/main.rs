//! The peer from outside: the contents page of one test binary.
//!
//! - `store`, `data`, `data_filter`: tables, policies, what a stranger can and can't ask of the database
//! - `site`, `chat`, `identity`, `wire`: each part by itself, byte for byte
//! - `mesh`: real nodes over real connections
//! - `cli`, `cli_run`, `cli_peer`: the built program: one process, and two that talk to each other
//! - `cli_kv`: processes that share what scripts keep, and are killed

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers"
)]

mod chat;
mod cli;
mod cli_kv;
mod cli_peer;
mod cli_run;
mod cli_support;
mod data;
mod data_filter;
mod identity;
mod mesh;
mod site;
mod store;
mod wire;
