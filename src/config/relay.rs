//! The address of a relay.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::{ConfigError, P2pConfig, Undialable};

impl P2pConfig {
    /// The relay's address; `None` when there is no relay.
    ///
    /// # Errors
    /// When `relay` is not of the form `/ip4/…/tcp/…/p2p/ID` (or `/ip6/…`, or a name as `/dns/…`).
    pub fn relay_address(&self) -> Result<Option<Multiaddr>, ConfigError> {
        if self.relay.is_empty() { Ok(None) } else { address(&self.relay).map(Some) }
    }
}

/// Reads the address.
pub(super) fn address(text: &str) -> Result<Multiaddr, ConfigError> {
    let refused = |reason: String| ConfigError::Relay { found: text.to_owned(), reason };
    let address: Multiaddr =
        text.parse().map_err(|error: libp2p::multiaddr::Error| refused(error.to_string()))?;
    if let Some(problem) = Undialable::of(&address) {
        return Err(refused(problem.to_string()));
    }
    let parts: Vec<_> = address.iter().collect();
    match parts.as_slice() {
        [
            Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_),
            Protocol::Tcp(_),
            Protocol::P2p(_),
        ] => Ok(address),
        _ => Err(refused("it is not of that form".to_owned())),
    }
}
