//! A web server of a test's own, on a port that the system chose.

use std::net::SocketAddr;
use std::sync::Arc;

use goop2::script::{HttpClient, Network};
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What a request looked like on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The request line and the headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// What follows the method: the path and the query.
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Answers each request with what a function makes of it, until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::serve(None, answer).await
    }

    /// A server for `hosts` over TLS, and the authority that vouches for it.
    pub(crate) async fn start_tls(
        hosts: &[&str],
        answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
    ) -> (Self, Vec<u8>) {
        let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.key_pair.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        (Self::serve(Some(acceptor), answer).await, made.cert.der().to_vec())
    }

    async fn serve(
        acceptor: Option<TlsAcceptor>,
        answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (answer, log) = (Arc::new(answer), seen.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log, acceptor) = (answer.clone(), log.clone(), acceptor.clone());
                connections.spawn(async move {
                    match acceptor {
                        None => exchange(stream, &*answer, &log).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                exchange(stream, &*answer, &log).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen, _tasks: tasks }
    }

    /// A URL on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// A client that may reach this server beside the public internet.
    pub(crate) fn client(&self) -> HttpClient {
        HttpClient::on(Network::public().with_exception(self.address))
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &(impl Fn(&Seen) -> Vec<u8> + Send + Sync),
    log: &Mutex<Vec<Seen>>,
) {
    let Some(seen) = receive(&mut stream).await else { return };
    log.lock().push(seen.clone());
    // A client that has read enough closes early.
    let _ = stream.write_all(&answer(&seen)).await;
    let _ = stream.shutdown().await;
}

/// Reads one request; `None` when the client leaves before its end.
pub(crate) async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let mut seen = Seen {
                head: String::from_utf8(bytes[..end].to_vec()).unwrap(),
                body: bytes.split_off(end + 4),
            };
            let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
            let missing = length - seen.body.len();
            let mut rest = vec![0; missing];
            stream.read_exact(&mut rest).await.ok()?;
            seen.body.extend(rest);
            return Some(seen);
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A response of its parts.
pub(crate) fn response(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        bytes.push_str(header);
        bytes.push_str("\r\n");
    }
    bytes.push_str("\r\n");
    [bytes.as_bytes(), body].concat()
}
