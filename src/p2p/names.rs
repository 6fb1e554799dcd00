//! Looks up the host names in addresses that the owner or user named.
//!
//! Only those: a name that a stranger gives is not looked up, because that asks a server of the
//! stranger's choice. libp2p has a transport for names with a resolver of its own; the system's is
//! the one that knows the names of the owner's network. An answer is not trusted: whoever is there
//! proves the id that the address ends in.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::config::Undialable;

/// How long the system may take: a part of the time for reaching the peer.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// The most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// Which of a name's addresses are meant.
type IsMeant = fn(&IpAddr) -> bool;

/// Whether the address has a name that has to be looked up.
pub(super) fn has_name(address: &Multiaddr) -> bool {
    wanted(address).is_some()
}

/// The name at the front of the address, and which of its addresses are meant.
fn wanted(address: &Multiaddr) -> Option<(String, IsMeant)> {
    match address.iter().next()? {
        Protocol::Dns(name) => Some((name.into_owned(), |_| true)),
        Protocol::Dns4(name) => Some((name.into_owned(), IpAddr::is_ipv4)),
        Protocol::Dns6(name) => Some((name.into_owned(), IpAddr::is_ipv6)),
        _ => None,
    }
}

/// The address with its name replaced by each address of it; as it is when it has none. An error is
/// for people.
pub(super) async fn resolve(address: Multiaddr) -> Result<Vec<Multiaddr>, String> {
    if let Some(problem) = Undialable::of(&address) {
        return Err(problem.to_string());
    }
    let Some((name, is_meant)) = wanted(&address) else { return Ok(vec![address]) };
    let found = match timeout(LOOKUP_TIMEOUT, lookup_host((name.as_str(), 0))).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(format!("{name} can't be looked up: {error}")),
        Err(_) => return Err(format!("{name} was not looked up within {} s", LOOKUP_TIMEOUT.as_secs())),
    };
    let mut ips = Vec::new();
    for ip in found.map(|found: SocketAddr| found.ip()).filter(is_meant) {
        if !ips.contains(&ip) && ips.len() < MAX_ADDRESSES {
            ips.push(ip);
        }
    }
    if ips.is_empty() {
        return Err(format!("{name} has no address of that kind"));
    }
    let with = |ip: IpAddr| std::iter::once(Protocol::from(ip)).chain(address.iter().skip(1)).collect();
    Ok(ips.into_iter().map(with).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_stands_for_its_addresses() {
        let resolved = |text: &str| resolve(text.parse().unwrap());
        let rest = "tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
        for kind in ["dns", "dns4"] {
            let found = resolved(&format!("/{kind}/localhost/{rest}")).await.unwrap();
            assert!(found.contains(&format!("/ip4/127.0.0.1/{rest}").parse().unwrap()), "{found:?}");
        }
        let found = resolved(&format!("/dns6/127.0.0.1/{rest}")).await.unwrap_err();
        assert_eq!(found, "127.0.0.1 has no address of that kind");
        let as_it_is = format!("/ip6/::1/{rest}");
        assert_eq!(resolved(&as_it_is).await.unwrap(), [as_it_is.parse().unwrap()]);
    }
}
