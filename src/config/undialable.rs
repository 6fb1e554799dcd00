//! Addresses that stand for other addresses.
//!
//! `/dnsaddr/NAME` is a list in DNS, of addresses that may be such lists again. A peer that follows it
//! needs a resolver of its own, since the system's gives addresses of hosts and no such lists. It is left
//! out; whoever has a list picks from it once, and is told here how.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// An address that this program does not follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "/dnsaddr/{name} stands for a list of addresses in DNS, which this program does not look up; \
     `dig +short TXT _dnsaddr.{name}` shows it: use an address from there that has /tcp"
)]
pub struct Dnsaddr {
    /// The name in it.
    pub name: String,
}

impl Dnsaddr {
    /// The first of these in `address`, if there is one.
    pub fn in_address(address: &Multiaddr) -> Option<Self> {
        address.iter().find_map(|part| match part {
            Protocol::Dnsaddr(name) => Some(Self { name: name.into_owned() }),
            _ => None,
        })
    }
}
