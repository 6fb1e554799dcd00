//! Why a request gave no response: the third value that scripts get.
//!
//! Scripts hand these texts on to strangers, so none holds what only the owner should know: no
//! query (which may hold the API key), no header's value, no address of the owner's own network.

use super::body::MAX_BODY_BYTES;
use super::headers::{MAX_HEADER_BYTES, MAX_HEADERS};
use super::request::{MAX_REDIRECTS, MAX_URL_BYTES};

/// Why a request gave no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the URL can't be read: {0}")]
    Url(url::ParseError),
    #[error("the URL has {found} bytes; the limit is {MAX_URL_BYTES}")]
    UrlTooLong { found: usize },
    #[error("only http:// and https:// URLs are allowed, not {scheme}:")]
    Scheme { scheme: String },
    #[error("the URL holds a user name or password; put them into an Authorization header")]
    Credentials,
    #[error("the header {name} {problem}")]
    Header { name: String, problem: &'static str },
    #[error(
        "the headers are too many or too large; the limits are {MAX_HEADERS} and {MAX_HEADER_BYTES} bytes"
    )]
    HeadersTooLarge,
    #[error("the request's body has {found} bytes; the limit is {MAX_BODY_BYTES}")]
    RequestTooLarge { found: usize },
    #[error("{host} is not allowed: it is or leads to {} {kind} address, and scripts reach public ones only", article(.kind))]
    Address { host: String, kind: &'static str },
    #[error("{host} can't be found: {problem}")]
    Lookup { host: String, problem: String },
    #[error("{host} can't be reached: {problem}")]
    Connect { host: String, problem: String },
    #[error("no secure connection to {host}: {problem}")]
    Tls { host: String, problem: String },
    #[error("{host} gave no usable answer: {problem}")]
    Exchange { host: String, problem: String },
    #[error("{host} answered with more than {MAX_BODY_BYTES} bytes; that is the limit, after decompression")]
    ResponseTooLarge { host: String },
    #[error("redirected more than {MAX_REDIRECTS} times")]
    TooManyRedirects,
    #[error("redirected to where scripts can't follow: {0}")]
    Redirect(Box<HttpError>),
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
