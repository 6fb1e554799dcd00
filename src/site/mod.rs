//! The peer's static site: what of the site folder a visitor may fetch, and how it is answered.
//!
//! Everything here assumes that the request was written by a stranger: the rules about names run
//! before the file system is touched, and again on what the file system says a name leads to.

mod mime;
mod open;
mod path;
mod serve;

pub use serve::{Answer, FoundFile, MAX_FILE_BYTES, MAX_REQUEST_LINE_BYTES, Refusal, ServeError, SiteServer};
