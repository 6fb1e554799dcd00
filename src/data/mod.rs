//! `/goop/data/1.0.0`: structured access to the peer's tables and data functions, for visitors.
//!
//! One request line in, one answer line out; [`Handler::respond`] knows nothing of streams. What a
//! visitor may do is decided by the table's policy and the row's owner; the one piece of SQL they
//! may write, `where`, is parsed and rebuilt in `filter`.

mod answer;
mod dialect;
mod filter;
mod handler;
mod query;
mod request;
mod turns;
mod visitor;
mod vocabulary;

pub(crate) use handler::is_busy;
pub use handler::{EmailDirectory, Handler, MAX_REQUEST_BYTES, MAX_VALUE_BYTES};
