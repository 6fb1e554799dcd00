//! From a URL's host to a connection: look up, check, connect, secure.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use super::address;
use super::error::HttpError;
use super::lookup::Lookups;
use super::network::Network;
use crate::script::name::ScriptName;

/// How long an address may keep the next one waiting: what RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// The most addresses of a host that are tried.
const MAX_ATTEMPTS: usize = 6;

/// The host of a URL as messages name it.
pub(super) fn shown_host(url: &Url) -> String {
    /// A name is shown, but not a book of it.
    const MAX_SHOWN_CHARS: usize = 100;
    url.host_str().unwrap_or_default().chars().take(MAX_SHOWN_CHARS).collect()
}

/// Where `url` leads, each address checked; one that is not allowed refuses them all, so that what
/// a script gets does not depend on which of them would have answered.
pub(super) async fn addresses(
    url: &Url,
    network: &Network,
    lookups: &Lookups,
    script: &ScriptName,
) -> Result<Vec<SocketAddr>, HttpError> {
    let port = url.port_or_known_default().unwrap_or_default();
    let found = match url.host() {
        Some(Host::Ipv4(ip)) => vec![SocketAddr::new(ip.into(), port)],
        Some(Host::Ipv6(ip)) => vec![SocketAddr::new(ip.into(), port)],
        Some(Host::Domain(name)) => named(name, port, network, lookups, script).await?,
        None => Vec::new(),
    };
    let lookup_failed =
        |problem: &str| HttpError::Lookup { host: shown_host(url), problem: problem.to_owned() };
    if found.is_empty() {
        return Err(lookup_failed("it has no address"));
    }
    for address in &found {
        if let (Some(kind), false) = (address::special(address.ip()), network.is_exception(address)) {
            return Err(HttpError::Address { host: shown_host(url), kind });
        }
    }
    Ok(found)
}

async fn named(
    name: &str,
    port: u16,
    network: &Network,
    lookups: &Lookups,
    script: &ScriptName,
) -> Result<Vec<SocketAddr>, HttpError> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if let Some(addresses) = network.addresses(name) {
        return Ok(addresses.to_vec());
    }
    // RFC 6761: this machine, whatever a resolver may say.
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port)]);
    }
    match lookups.find(name, network, script).await {
        Ok(found) => Ok(found.iter().map(|ip| SocketAddr::new(*ip, port)).collect()),
        Err(problem) => Err(HttpError::Lookup { host: name.chars().take(100).collect(), problem }),
    }
}

/// Connects to the first of the addresses that answers. Each gets a head start before the next, so
/// that a network whose IPv6 leads nowhere costs a quarter of a second and not the whole deadline.
pub(super) async fn tcp(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut left = alternating(addresses).into_iter().take(MAX_ATTEMPTS);
    let mut problem = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        let started = left.next().map(|address| attempts.spawn(TcpStream::connect(address))).is_some();
        let ended = if started {
            timeout(HEAD_START, attempts.join_next()).await
        } else {
            Ok(attempts.join_next().await)
        };
        match ended {
            Err(_head_start_over) => {}
            Ok(None) => return Err(problem),
            Ok(Some(Ok(Ok(stream)))) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Some(Ok(Err(error)))) => problem = error,
            Ok(Some(Err(error))) => problem = io::Error::other(error),
        }
    }
}

/// The families in turn, each in the resolver's order.
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let longest = preferred.len().max(other.len());
    let pick = |list: &[SocketAddr], at: usize| list.get(at).copied();
    (0..longest).flat_map(|at| [pick(&preferred, at), pick(&other, at)]).flatten().collect()
}

/// Secures a connection to the host of `url`.
pub(super) async fn tls(
    stream: TcpStream,
    url: &Url,
    connector: &TlsConnector,
) -> Result<TlsStream<TcpStream>, HttpError> {
    let failed = |problem: String| HttpError::Tls { host: shown_host(url), problem };
    let name = match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            ServerName::try_from(name.to_owned()).map_err(|error| failed(error.to_string()))?
        }
        Some(Host::Ipv4(ip)) => ServerName::IpAddress(IpAddr::V4(ip).into()),
        Some(Host::Ipv6(ip)) => ServerName::IpAddress(IpAddr::V6(ip).into()),
        None => return Err(failed("the URL has no host".to_owned())),
    };
    connector.connect(name, stream).await.map_err(|error| failed(error.to_string()))
}

/// TLS as every request uses it. The authorities come with the program (Mozilla's list), because a
/// container or a small device may have none of its own, and the same build must work on all.
pub(super) fn connector(network: &Network) -> Result<TlsConnector, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(network.trusted().iter().map(|der| CertificateDer::from(der.as_slice())));
    // Named here and not installed for the process: that is the embedder's to do.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let all = |texts: &[&str]| -> Vec<SocketAddr> { texts.iter().map(|t| t.parse().unwrap()).collect() };
        let found = alternating(all(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]));
        assert_eq!(found, all(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
    }
}
