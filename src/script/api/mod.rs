//! The `goop` table that scripts see.
//!
//! Authority lies in [`Invocation`], on the Rust side: who calls, which store, which limits. The
//! tables that a script sees show some of it and are never read back, so a script that changes
//! them deceives only itself.

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
