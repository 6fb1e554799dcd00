//! The peer from outside: the contents page of one test binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, and so do its helpers"
)]

mod chat;
mod identity;
mod mesh;
mod site;
mod wire;
