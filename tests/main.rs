//! The peer from outside: the contents page of one test binary.
//!
//! - `store`, `data`, `data_filter`: tables, policies, what a stranger can and can't ask of the database
//! - `site`, `chat`, `identity`, `wire`: each part by itself, byte for byte
//! - `mesh`, `presence`, `relay`: real nodes over real connections; `nodes` has what they share
//! - `bounds`: strangers that misbehave, and visitors who must not notice
//! - `cli`, `cli_run`, `cli_peer`: the built program: one process, and two that talk to each other

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers"
)]

mod bounds;
mod chat;
mod cli;
mod cli_peer;
mod cli_run;
mod cli_support;
mod data;
mod data_filter;
mod identity;
mod mesh;
mod nodes;
mod presence;
mod relay;
mod site;
mod store;
mod wire;
