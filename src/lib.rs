//! Goop²: a peer-to-peer web for small, personal sites, programmable in sandboxed Lua.

pub mod config;
#[cfg(feature = "peer")]
pub mod data;
pub mod peer_id;
pub mod script;
#[cfg(feature = "db")]
pub mod store;
