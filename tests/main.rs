//! The peer from outside: the contents page of one test binary.
//!
//! - `store`, `data`: tables, policies, what a stranger can and can't ask of the database
//! - `site`, `chat`, `identity`, `wire`: each part by itself, byte for byte
//! - `mesh`: real nodes over real connections

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers"
)]

mod chat;
mod data;
mod identity;
mod mesh;
mod site;
mod store;
mod wire;
