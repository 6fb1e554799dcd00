//! The peer's database: what the owner's side can do, and what read-only queries cannot.

mod limits;
mod memory;
mod message_log;
mod queries;
mod schema;
mod support;
mod tables;
