//! Addresses that look right and lead nowhere, and what to do about them.
//!
//! `/dnsaddr/NAME` is a list in DNS, of addresses that may be such lists again. A peer that follows it
//! needs a resolver of its own, since the system's gives addresses of hosts and no such lists. It is left
//! out; whoever has a list picks from it once. The others are what a listener is told, `0.0.0.0` and
//! port 0, copied to where somebody is to be found.

use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// Why nobody can be at an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undialable {
    /// It stands for other addresses.
    #[error(
        "/dnsaddr/{name} stands for a list of addresses in DNS, which this program does not look up; \
         `dig +short TXT _dnsaddr.{name}` shows it: use an address from there that has /tcp"
    )]
    List {
        /// The name in it.
        name: String,
    },
    /// It means every address of a machine.
    #[error(
        "{ip} means every address of the machine that listens; use one of those that the peer shows when it starts"
    )]
    EveryAddress {
        /// `0.0.0.0` or `::`.
        ip: IpAddr,
    },
    /// Its port is the system's to choose.
    #[error("port 0 lets the system choose; use the port that the peer shows when it starts")]
    AnyPort,
}

impl Undialable {
    /// What is wrong with `address`, whose form may be wrong as well.
    pub fn of(address: &Multiaddr) -> Option<Self> {
        address.iter().find_map(|part| match part {
            Protocol::Dnsaddr(name) => Some(Self::List { name: name.into_owned() }),
            Protocol::Ip4(ip) if ip.is_unspecified() => Some(Self::EveryAddress { ip: ip.into() }),
            Protocol::Ip6(ip) if ip.is_unspecified() => Some(Self::EveryAddress { ip: ip.into() }),
            Protocol::Tcp(0) => Some(Self::AnyPort),
            _ => None,
        })
    }
}
