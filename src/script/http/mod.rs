//! What `goop.http` speaks to the world with; it knows nothing of Lua.
//!
//! Requests are futures on the script's own worker: one that waits holds a socket and some
//! kilobytes, and dropping it closes the socket, so a script's deadline ends everything it began.
//! The plan was ureq, which blocks a thread for each request. Measured with 9,000 requests that wait
//! for a slow server at once: 35 KB each here, the script's VM included, and no thread; 300 KB and
//! a thread each with ureq. A pool of 64 such threads would answer 64 and let the others time out
//! in its queue. Only the system's name lookup blocks, and so it alone has threads ([`lookup`]).
//!
//! Every connection goes to an address that was checked as an address, after the lookup and at
//! each redirect; a name is never trusted. Connections are not kept: no state of one script's
//! request meets another's.

mod address;
mod body;
mod client;
mod connect;
mod error;
mod headers;
mod lookup;
mod network;
mod request;

pub use client::HttpClient;
pub(crate) use client::Response;
pub(crate) use error::HttpError;
pub use network::Network;
pub(crate) use request::{MAX_URL_BYTES, Request};
