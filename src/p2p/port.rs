//! Where this peer can listen: at addresses of a form, and at ports that are free.
//!
//! libp2p lets every listener share its port, because a hole punch has to leave by the port that
//! others know. To the system that is an invitation: a second peer at the same port is let in, and
//! visitors reach one of the two. So a port is tried first by a listener that shares nothing.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv6Addr, TcpListener};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// What an address to listen at looks like, for people.
pub const LISTEN_FORM: &str = "a peer listens at /ip4/ADDRESS/tcp/PORT or /ip6/ADDRESS/tcp/PORT, where port 0 lets \
                               the system choose; a relay is named by p2p.relay in goop.json";

/// Whether a peer can be told to listen at `address`; the machine may not have it all the same.
pub fn is_listenable(address: &Multiaddr) -> bool {
    let parts: Vec<_> = address.iter().collect();
    let (ip_and_port, rest) = parts.split_at_checked(2).unwrap_or_default();
    // As a peer shows it, an address has its id at the end.
    matches!(ip_and_port, [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)])
        && matches!(rest, [] | [Protocol::P2p(_)])
}

/// Whether another listener has the port of this address.
pub(super) fn is_taken(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    let ip = match parts.next() {
        Some(Protocol::Ip4(ip)) => IpAddr::V4(ip),
        Some(Protocol::Ip6(ip)) => IpAddr::V6(ip),
        _ => return false,
    };
    let Some(Protocol::Tcp(port)) = parts.next() else { return false };
    if port == 0 || !cannot_bind(ip, port) {
        return false;
    }
    // Here, but not in libp2p, all of IPv6 is also all of IPv4, which another may have.
    ip != IpAddr::V6(Ipv6Addr::UNSPECIFIED) || cannot_bind(IpAddr::V6(Ipv6Addr::LOCALHOST), port)
}

/// Other reasons than a taken port are libp2p's to find, and to tell.
fn cannot_bind(ip: IpAddr, port: u16) -> bool {
    TcpListener::bind((ip, port)).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_by_whoever_listens_there() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let taken = |text: String| is_taken(&text.parse().unwrap());
        assert!(taken(format!("/ip4/127.0.0.1/tcp/{port}")));
        assert!(taken(format!("/ip4/0.0.0.0/tcp/{port}")));
        assert!(!taken(format!("/ip4/127.0.0.2/tcp/{port}")));
        assert!(!taken(format!("/ip6/::/tcp/{port}")), "IPv6 is another network");
        drop(held);
        assert!(!taken(format!("/ip4/127.0.0.1/tcp/{port}")));
        assert!(!taken("/ip4/127.0.0.1/tcp/0".to_owned()));
    }
}
