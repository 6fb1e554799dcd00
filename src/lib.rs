//! Goop²: a peer-to-peer web for small, personal sites, programmable in sandboxed Lua.

pub mod config;
pub mod peer_id;
pub mod script;
#[cfg(feature = "db")]
pub mod store;
