//! Which addresses this peer dials.
//!
//! A peer may say that it is anywhere: in its identify message, in an announcement, in a request
//! for a hole punch. To believe it is to let strangers aim connections of this peer at hosts of the
//! owner's own network. So a dial is made when the owner or user named the address, when this peer
//! reached somebody there before, or when the network itself showed it (mDNS). Those are the dials
//! of this program's own code, which registers each.
//!
//! What is left are dials by parts of libp2p: to a relay that was named, and hole punches, whose
//! addresses come from the other side. They go to public addresses only, or to addresses no more
//! private than the named relay's own, and a few a minute.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent,
    ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId as Libp2pId};
use tokio::time::Instant;

use super::limits::MAX_DIALING;
use super::notices::Notices;
use super::origin::Reach;

/// Dials by parts of libp2p in [`WINDOW`].
const MAX_FOREIGN_DIALS: usize = 30;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses of one such dial.
const MAX_FOREIGN_ADDRESSES: usize = 16;
/// Relays that are remembered as named.
const MAX_NAMED: usize = 64;

/// Why a dial is not made.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{MAX_DIALING} dials are under way; that is the limit")]
    TooMany,
    #[error("too many hole punches in a minute")]
    TooOften,
    #[error("a peer named {address}, which is not a public address; this peer does not dial it")]
    Announced { address: Multiaddr },
    #[error("a peer named {found} addresses at once; the limit is {MAX_FOREIGN_ADDRESSES}")]
    Addresses { found: usize },
}

/// Refuses dials to where strangers point.
pub(super) struct DialGuard {
    notices: Notices,
    /// Dials that this program's own code begins.
    own: HashSet<ConnectionId>,
    under_way: HashSet<ConnectionId>,
    /// Where named relays are, oldest first.
    relays: VecDeque<Multiaddr>,
    foreign: VecDeque<Instant>,
}

impl DialGuard {
    pub(super) fn new(notices: Notices) -> Self {
        let (own, under_way) = (HashSet::new(), HashSet::new());
        Self { notices, own, under_way, relays: VecDeque::new(), foreign: VecDeque::new() }
    }

    /// The next dial of this number is the program's own, to an address it has a reason to trust.
    pub(super) fn permit(&mut self, connection: ConnectionId) {
        self.own.insert(connection);
    }

    /// The owner or user named this address; if it leads through a relay, that may be dialed.
    pub(super) fn name(&mut self, address: &Multiaddr) {
        let relay = host(address);
        if address.iter().any(|part| part == Protocol::P2pCircuit) && !self.relays.contains(&relay) {
            self.relays.push_back(relay);
            if self.relays.len() > MAX_NAMED {
                self.relays.pop_front();
            }
        }
    }

    fn check(&mut self, connection: ConnectionId, addresses: &[Multiaddr]) -> Result<(), Refused> {
        let own = self.own.remove(&connection);
        if self.under_way.len() >= MAX_DIALING {
            return Err(Refused::TooMany);
        }
        if own || addresses.iter().all(|address| self.relays.contains(&host(address))) {
            return Ok(());
        }
        let found = addresses.len();
        if found > MAX_FOREIGN_ADDRESSES {
            return Err(Refused::Addresses { found });
        }
        let nearest = self.relays.iter().filter_map(Reach::of).min().unwrap_or(Reach::Global);
        let refused = addresses.iter().find(|address| Reach::of(address).is_none_or(|reach| reach < nearest));
        if let Some(address) = refused {
            return Err(Refused::Announced { address: address.clone() });
        }
        let now = Instant::now();
        self.foreign.retain(|at| now.duration_since(*at) < WINDOW);
        if self.foreign.len() >= MAX_FOREIGN_DIALS {
            return Err(Refused::TooOften);
        }
        self.foreign.push_back(now);
        Ok(())
    }
}

/// The part of an address before the peer.
fn host(address: &Multiaddr) -> Multiaddr {
    address.iter().take_while(|part| !matches!(part, Protocol::P2p(_))).collect()
}

impl NetworkBehaviour for DialGuard {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        _: Option<Libp2pId>,
        addresses: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if let Err(refused) = self.check(connection, addresses) {
            let bound = match refused {
                Refused::TooMany => "a limit on dials was met",
                _ => "a dial was refused",
            };
            self.notices.tell(bound, format_args!("{refused}"));
            return Err(ConnectionDenied::new(refused));
        }
        self.under_way.insert(connection);
        Ok(Vec::new())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: Libp2pId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        _: Libp2pId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.under_way.remove(&connection);
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::DialFailure(failed) = event {
            self.under_way.remove(&failed.connection_id);
            self.own.remove(&failed.connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: Libp2pId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: &str = "p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

    struct Dialer(DialGuard, usize);

    impl Dialer {
        fn new() -> Self {
            Self(DialGuard::new(Notices::default()), 0)
        }

        fn foreign(&mut self, addresses: &[&str]) -> Result<(), Refused> {
            self.1 += 1;
            let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            self.0.check(ConnectionId::new_unchecked(self.1), &addresses)
        }
    }

    /// A stranger once chose what its reply dialed: any port of any host of the owner's network.
    #[test]
    fn addresses_of_strangers_are_dialed_only_when_public() {
        let mut dialer = Dialer::new();
        for address in [
            "/ip4/127.0.0.1/tcp/22",
            "/ip4/192.168.1.1/tcp/80",
            "/ip4/169.254.169.254/tcp/80",
            "/ip6/fe80::1/tcp/80",
            "/ip6/::ffff:10.0.0.1/tcp/80",
            "/ip4/0.0.0.0/tcp/80",
            "/dns4/router.lan/tcp/80",
        ] {
            let refused = dialer.foreign(&["/ip4/9.9.9.9/tcp/1", address]).unwrap_err();
            assert!(matches!(refused, Refused::Announced { .. }), "{address}: {refused}");
        }
        dialer.foreign(&["/ip4/9.9.9.9/tcp/4001", "/ip6/2600::1/tcp/4001"]).unwrap();
        let many = vec!["/ip4/9.9.9.9/tcp/4001"; MAX_FOREIGN_ADDRESSES + 1];
        assert!(matches!(dialer.foreign(&many), Err(Refused::Addresses { found: 17 })));
    }

    #[test]
    fn a_relay_in_the_local_network_may_bring_its_neighbours_together() {
        let mut dialer = Dialer::new();
        let relay: Multiaddr = format!("/ip4/10.0.0.1/tcp/1/{RELAY}/p2p-circuit").parse().unwrap();
        assert!(dialer.foreign(&["/ip4/10.0.0.1/tcp/1"]).is_err());
        dialer.0.name(&relay);
        dialer.foreign(&["/ip4/10.0.0.1/tcp/1"]).unwrap();
        dialer.foreign(&["/ip4/10.0.0.7/tcp/9"]).unwrap();
        assert!(dialer.foreign(&["/ip4/127.0.0.1/tcp/9"]).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn hole_punches_are_few() {
        let mut dialer = Dialer::new();
        for _ in 0..MAX_FOREIGN_DIALS {
            dialer.foreign(&["/ip4/9.9.9.9/tcp/1"]).unwrap();
        }
        assert!(matches!(dialer.foreign(&["/ip4/9.9.9.9/tcp/1"]), Err(Refused::TooOften)));
        tokio::time::advance(WINDOW).await;
        dialer.foreign(&["/ip4/9.9.9.9/tcp/1"]).unwrap();
    }
}
