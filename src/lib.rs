//! Goop²: a peer-to-peer web for small, personal sites, programmable in sandboxed Lua.

#[cfg(feature = "peer")]
pub mod chat;
pub mod config;
#[cfg(feature = "peer")]
pub mod data;
#[cfg(feature = "peer")]
pub mod p2p;
#[cfg(feature = "peer")]
pub mod peer;
pub mod peer_id;
pub mod script;
#[cfg(feature = "peer")]
pub mod site;
#[cfg(feature = "db")]
pub mod store;
#[cfg(feature = "peer")]
pub mod template;
pub mod vm;
