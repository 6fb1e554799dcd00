//! One request from its URL to its body, with the redirects on the way.

use std::sync::{Arc, OnceLock};

use http_body_util::Full;
use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use url::{Position, Url};

use super::body::{self, BodyError, MAX_LARGE_BODIES, ResponseBody, Room};
use super::connect;
use super::error::HttpError;
use super::lookup::Lookups;
use super::network::Network;
use super::request::{MAX_REDIRECTS, Request};
use crate::script::name::ScriptName;
use crate::script::shares::{Alone, NoShare, Shares};

/// The most connections at once. Whoever finds none free waits within its own deadline. Below what
/// the system lets a process open it stays in any case: the peer needs files and streams too.
const MAX_CONNECTIONS: usize = 16 * 1024;

/// The most headers of a response.
const MAX_RESPONSE_HEADERS: usize = 128;

/// The largest head of a response, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Who scripts say they are, unless they say otherwise.
const USER_AGENT: &str = concat!("goop2/", env!("CARGO_PKG_VERSION"));

/// The HTTP client that scripts share. Cheap to clone; clones share their limits.
#[derive(Debug, Clone, Default)]
pub struct HttpClient(Arc<Shared>);

struct Shared {
    network: Network,
    lookups: Lookups,
    connector: OnceLock<Result<TlsConnector, String>>,
    connections: Arc<Shares>,
    large_bodies: Arc<Shares>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            network: Network::public(),
            lookups: Lookups::default(),
            connector: OnceLock::new(),
            connections: Shares::new(max_connections(), Alone::ThreeQuarters),
            large_bodies: Shares::new(MAX_LARGE_BODIES, Alone::AQuarter),
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClient").field("network", &self.network).finish_non_exhaustive()
    }
}

/// A response, redirects followed.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: ResponseBody,
}

/// How many of the files that the process may have open are not for these connections, if it may have so many at all:
/// the peer's own connections, its site and its database are not to fail because scripts wait for slow servers.
const OTHER_FILES: u64 = 2048;

/// How many connections scripts may have in this process.
fn max_connections() -> usize {
    #[cfg(unix)]
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let files = None;
    connections_for(files)
}

/// What is left of so many open files, half of them at least; `None` is no limit.
fn connections_for(files: Option<u64>) -> usize {
    let left = files.map(|files| files - (files / 2).min(OTHER_FILES));
    left.and_then(|left| usize::try_from(left).ok()).unwrap_or(MAX_CONNECTIONS).clamp(1, MAX_CONNECTIONS)
}

impl HttpClient {
    /// A client on the public internet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A client on a network that code describes; configuration can't.
    pub fn on(network: Network) -> Self {
        Self(Arc::new(Shared { network, ..Shared::default() }))
    }

    /// Sends a request of `script` and reads the response. It has no time limit of its own: dropping the future
    /// closes the connection.
    pub(crate) async fn fetch(
        &self,
        script: &ScriptName,
        mut request: Request,
    ) -> Result<Response, HttpError> {
        for _ in 0..=MAX_REDIRECTS {
            if let Some(response) = self.hop(script, &mut request).await? {
                return Ok(response);
            }
        }
        Err(HttpError::TooManyRedirects)
    }

    /// One exchange; `None` when the request now stands for where it was redirected to.
    async fn hop(&self, script: &ScriptName, request: &mut Request) -> Result<Option<Response>, HttpError> {
        let Shared { network, lookups, connections, .. } = &*self.0;
        let failed =
            |problem: String, url: &Url| HttpError::Connect { host: connect::shown_host(url), problem };
        let addresses = connect::addresses(&request.url, network, lookups, script).await?;
        let stopping = |NoShare| failed("the peer is stopping".to_owned(), &request.url);
        let _connection = connections.take(script).await.map_err(stopping)?;
        let stream =
            connect::tcp(addresses).await.map_err(|error| failed(error.to_string(), &request.url))?;
        if request.url.scheme() == "https" {
            let connector = self.connector(&request.url)?;
            let stream = connect::tls(stream, &request.url, connector).await?;
            self.exchange(stream, script, request).await
        } else {
            self.exchange(stream, script, request).await
        }
    }

    fn connector(&self, url: &Url) -> Result<&TlsConnector, HttpError> {
        let made = self
            .0
            .connector
            .get_or_init(|| connect::connector(&self.0.network).map_err(|error| error.to_string()));
        made.as_ref()
            .map_err(|problem| HttpError::Tls { host: connect::shown_host(url), problem: problem.clone() })
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        script: &ScriptName,
        request: &mut Request,
    ) -> Result<Option<Response>, HttpError> {
        let host = connect::shown_host(&request.url);
        let unusable =
            |error: hyper::Error| HttpError::Exchange { host: host.clone(), problem: told(&error) };
        let message = message(request)?;
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(MAX_RESPONSE_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(unusable)?;
        let room = Room { large: &self.0.large_bodies, script };
        let work = async {
            let response = sender.send_request(message).await.map_err(unusable)?;
            let (head, body) = response.into_parts();
            if request.redirect(head.status, head.headers.get(header::LOCATION))? {
                return Ok(None);
            }
            let body = read(body, &head.headers, room, &host).await?;
            Ok(Some(Response { status: head.status.as_u16(), body }))
        };
        tokio::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => done,
            // It only moves the bytes; how it went, the work is told.
            _ = connection => work.await,
        }
    }
}

async fn read(
    body: Incoming,
    headers: &HeaderMap,
    room: Room<'_>,
    host: &str,
) -> Result<ResponseBody, HttpError> {
    // Only gzip was asked for; what comes in another coding all the same, the script gets as it is.
    let coding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_gzip = coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip");
    body::read(body, is_gzip, room).await.map_err(|error| match error {
        BodyError::TooLarge => HttpError::ResponseTooLarge { host: host.to_owned() },
        BodyError::Broken(problem) => HttpError::Exchange { host: host.to_owned(), problem },
    })
}

/// The request as it goes out: the script's headers, and those that are ours.
fn message(request: &Request) -> Result<hyper::Request<Full<Bytes>>, HttpError> {
    let url = &request.url;
    let unusable = |problem: String| HttpError::Exchange { host: connect::shown_host(url), problem };
    let mut message = hyper::Request::builder()
        .method(request.method.clone())
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .body(Full::new(request.body.clone()))
        .map_err(|error| unusable(error.to_string()))?;
    let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])
        .map_err(|error| unusable(error.to_string()))?;
    let headers = message.headers_mut();
    headers.insert(header::HOST, host);
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.extend(request.headers.clone());
    if request.method == Method::POST {
        // Said even of an empty body, which would go out without a length otherwise.
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(request.body.len()));
    }
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(message)
}

/// An error with its cause.
fn told(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_the_peer_its_files_and_one_script_ten_thousand() {
        let cases = [(0, 1), (2, 1), (1024, 512), (4096, 2048), (16_000, 13_952)];
        for (files, connections) in cases {
            assert_eq!(connections_for(Some(files)), connections, "{files}");
        }
        for files in [Some(1 << 20), Some(u64::MAX), None] {
            assert_eq!(connections_for(files), MAX_CONNECTIONS);
        }
        assert!(connections_for(Some(16_000)) * 3 / 4 >= 10_000, "a lone script's share");
    }
}
