//! The `goop` table that scripts see.
//!
//! Authority lies in [`Invocation`], on the Rust side: who calls, which store, which limits. The
//! tables that a script sees show some of it and are never read back. They are read-only all the same,
//! so that a slip (`goop.peer.id = x` where `==` was meant) is an error with a line and not a puzzle.

mod commands;
#[cfg(feature = "db")]
mod db;
#[cfg(feature = "http")]
mod http;
mod install;
mod invocation;
mod json;
mod kv;
mod log;

pub(crate) use install::install;
pub(crate) use invocation::Invocation;
