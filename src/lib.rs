//! Goop²: a peer-to-peer web for small, personal sites, programmable in sandboxed Lua.
//!
//! A peer is one folder and one program: its pages, tables and scripts are live while it runs.
//! This library holds all of it; the program is its command line.
//!
//! | part | what it is for |
//! |---|---|
//! | [`vm`] | the interpreter: loads, checks and runs one script under exact limits |
//! | [`script`] | the engine: chat commands, data functions, hot reload, rate limits, the `goop` API |
//! | [`config`], [`peer_id`], [`printable`] | what the owner wrote; the names of peers; text of strangers |
//! | `store` | `data.db`: tables, policies, and what scripts may ask of it |
//! | `chat`, `data`, `site` | the three things a peer offers: messages, its tables, its pages |
//! | `p2p` | the node that carries them over libp2p |
//! | `template`, `peer` | new peers from templates; one running peer, wired together |
//!
//! | features | parts | compiles C |
//! |---|---|---|
//! | none (`--no-default-features`) | `vm`, `script`, `config`, `peer_id`, `printable` | no |
//! | `db` | `store`, and `goop.db` in scripts | SQLite |
//! | `http` | `goop.http` in scripts | the cryptography under TLS (`ring`) |
//! | `peer` (default) | everything | SQLite, and the cryptography under libp2p |
//!
//! `docs/architecture.md` has the order in which the parts build on each other: `vm` knows nothing
//! of files or the network, `script` nothing of peers. An embedder starts at [`script::Engine`].

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
pub mod printable;
pub mod script;
#[cfg(feature = "peer")]
pub mod site;
#[cfg(feature = "db")]
pub mod store;
#[cfg(feature = "peer")]
pub mod template;
pub mod vm;
