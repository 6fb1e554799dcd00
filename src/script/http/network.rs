//! What stands between the client and the world, so that tests can stand in for the world.
//!
//! The default is the real thing, and the only one that configuration leads to. Code that embeds
//! the engine can give names addresses of its own and except single sockets from the rule; there
//! is no way to switch the rule off.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::{fmt, io};

/// The network as the HTTP client sees it. The default is the public internet.
#[derive(Clone, Default)]
pub struct Network {
    hosts: HashMap<String, Vec<SocketAddr>>,
    resolver: Option<Arc<Resolver>>,
    exceptions: HashSet<SocketAddr>,
    trusted: Vec<Vec<u8>>,
}

/// Gives the addresses of a name, and may block.
pub(super) type Resolver = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hosts, exceptions, .. } = self;
        f.debug_struct("Network")
            .field("hosts", hosts)
            .field("exceptions", exceptions)
            .finish_non_exhaustive()
    }
}

impl Network {
    /// The public internet, as the system's resolver names it.
    pub fn public() -> Self {
        Self::default()
    }

    /// Gives the name `host` (lower case) these addresses, whatever port a URL says. They are
    /// checked like those of any other name.
    #[must_use]
    pub fn with_host(mut self, host: &str, addresses: &[SocketAddr]) -> Self {
        self.hosts.insert(host.to_owned(), addresses.to_vec());
        self
    }

    /// Asks `resolver` in place of the system for names that have no addresses here, on a thread of its own.
    /// What it gives is checked like what the system gives.
    #[must_use]
    pub fn with_resolver(
        mut self,
        resolver: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Lets scripts reach this one socket although it is not public: a test's own server.
    #[must_use]
    pub fn with_exception(mut self, address: SocketAddr) -> Self {
        self.exceptions.insert(address);
        self
    }

    /// Trusts this certificate authority (DER) beside the public ones.
    #[must_use]
    pub fn with_authority(mut self, certificate: &[u8]) -> Self {
        self.trusted.push(certificate.to_vec());
        self
    }

    pub(super) fn addresses(&self, host: &str) -> Option<&[SocketAddr]> {
        self.hosts.get(host).map(Vec::as_slice)
    }

    pub(super) fn resolver(&self) -> Option<Arc<Resolver>> {
        self.resolver.clone()
    }

    pub(super) fn is_exception(&self, address: &SocketAddr) -> bool {
        self.exceptions.contains(address)
    }

    pub(super) fn trusted(&self) -> &[Vec<u8>] {
        &self.trusted
    }
}
