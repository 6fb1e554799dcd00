//! The address of another peer, as it is typed.

use std::str::FromStr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// A multiaddr that ends in `/p2p/ID`.
#[derive(Debug, Clone)]
pub(crate) struct PeerAddress(pub(crate) Multiaddr);

impl FromStr for PeerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = multiaddr(text)?;
        match address.iter().last() {
            Some(Protocol::P2p(_)) => Ok(Self(address)),
            _ => Err("it does not say which peer is there: an address ends in /p2p/ID".to_owned()),
        }
    }
}

/// Reads any multiaddr.
pub(crate) fn multiaddr(text: &str) -> Result<Multiaddr, String> {
    text.parse().map_err(|error| {
        format!("it is no multiaddr ({error}); one looks like /ip4/192.168.1.5/tcp/4001/p2p/12D3KooW…")
    })
}
