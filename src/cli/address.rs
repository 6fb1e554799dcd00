//! The address of another peer, as it is typed.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use goop2::config::Undialable;
use goop2::p2p::{LISTEN_FORM, is_listenable};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// The addresses that can be dialed.
const FORM: &str = "/ip4/…/tcp/PORT/p2p/ID, or with /ip6/… or /dns/NAME in front, and through a relay that, \
                    /p2p-circuit and /p2p/ID";

/// The address of a peer, of a form that can be dialed.
#[derive(Debug, Clone)]
pub(crate) struct PeerAddress(pub(crate) Multiaddr);

impl PeerAddress {
    /// The peer's id.
    pub(crate) fn id(&self) -> Option<PeerId> {
        match self.0.iter().last() {
            Some(Protocol::P2p(id)) => Some(id),
            _ => None,
        }
    }
}

impl FromStr for PeerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = multiaddr(text)?;
        if let Some(problem) = Undialable::of(&address) {
            return Err(format!("it can't be dialed: {problem}"));
        }
        if !matches!(address.iter().last(), Some(Protocol::P2p(_))) {
            return Err("it does not say which peer is there: an address ends in /p2p/ID".to_owned());
        }
        let mut parts = address.iter();
        let starts_at_host = parts.next().is_some_and(|part| is_host(&part));
        let rest: Vec<_> = parts.collect();
        match rest.as_slice() {
            [Protocol::Tcp(_), Protocol::P2p(_)]
            | [Protocol::Tcp(_), Protocol::P2p(_), Protocol::P2pCircuit, Protocol::P2p(_)]
                if starts_at_host =>
            {
                Ok(Self(address))
            }
            _ => Err(format!("it can't be dialed: an address is {FORM}")),
        }
    }
}

/// An IP address, or a name that is looked up.
fn is_host(part: &Protocol<'_>) -> bool {
    matches!(
        part,
        Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_)
    )
}

/// Whom a data request is for.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// Another peer, asked as a visitor.
    Peer(PeerAddress),
    /// The owner's own peer, by its folder.
    Folder(PathBuf),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What starts like an address is one, so that a slip in it is told as such.
        let is_address = ["/ip4/", "/ip6/", "/dns", "/p2p/"].iter().any(|start| text.starts_with(start));
        if is_address && !Path::new(text).is_dir() {
            return text.parse().map(Self::Peer);
        }
        Ok(Self::Folder(text.into()))
    }
}

/// Reads an address to listen at.
pub(crate) fn listen_address(text: &str) -> Result<Multiaddr, String> {
    let address = multiaddr(text)?;
    if is_listenable(&address) { Ok(address) } else { Err(LISTEN_FORM.to_owned()) }
}

/// Reads any multiaddr.
fn multiaddr(text: &str) -> Result<Multiaddr, String> {
    text.parse().map_err(|error| {
        format!("it is no multiaddr ({error}); one looks like /ip4/192.168.1.5/tcp/4001/p2p/12D3KooW…")
    })
}
