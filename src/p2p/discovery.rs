//! Peers on the local network, by mDNS.
//!
//! libp2p's mDNS keeps every peer that it heard of for as long as that peer asks for, so whoever
//! floods the local network would fill this peer's memory: above a bound all of it is forgotten,
//! and what is really there is heard again. The service name is libp2p's own, `_p2p._udp.local`;
//! deployed peers that use another one are found through their announcements or by address.

use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::{ListenerId, PortUse};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NewListenAddr, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId as Libp2pId, mdns};

use super::notices::Notices;
use super::origin::Reach;

/// How many addresses of peers may be known: a large classroom's.
const MAX_KNOWN: usize = 512;

type Inner = mdns::tokio::Behaviour;

/// What is known of the local network.
#[derive(Debug)]
pub(super) enum Found {
    /// mDNS heard of peers, or no longer hears of them.
    Mdns(mdns::Event),
    /// All that was heard is forgotten. What of it is there is heard again, and the rest never expires.
    Forgotten,
}

/// mDNS, bounded.
pub(super) struct Discovery {
    inner: Inner,
    own: Libp2pId,
    /// Told to each new `inner`, which answers with them.
    listening: Vec<(ListenerId, Multiaddr)>,
    notices: Notices,
}

impl Discovery {
    /// Starts to listen for peers, and to answer them.
    ///
    /// # Errors
    /// When the system does not tell its interfaces.
    pub(super) fn new(own: Libp2pId, notices: Notices) -> std::io::Result<Self> {
        let inner = Inner::new(mdns::Config::default(), own)?;
        Ok(Self { inner, own, listening: Vec::new(), notices })
    }

    /// Forgets everything that was heard; tells whether it did.
    fn renew(&mut self) -> bool {
        // On an error the old one goes on, and is tried again at the next poll.
        let Ok(mut fresh) = Inner::new(mdns::Config::default(), self.own) else { return false };
        for (listener_id, addr) in &self.listening {
            let listener_id = *listener_id;
            fresh.on_swarm_event(FromSwarm::NewListenAddr(NewListenAddr { listener_id, addr }));
        }
        self.inner = fresh;
        true
    }
}

/// Whether a discovered address may be dialed: one of the local network. Loopback would be a claim
/// about this very machine, and a public address can't have been found by mDNS.
pub(super) fn is_local(address: &Multiaddr) -> bool {
    Reach::of(address) == Some(Reach::Private)
}

impl NetworkBehaviour for Discovery {
    type ConnectionHandler = <Inner as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = Found;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Libp2pId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote)
    }

    // Not passed on: `handle_pending_outbound_connection`, which would add addresses to every dial
    // without the check of `is_local`.

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Libp2pId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match &event {
            FromSwarm::NewListenAddr(new) => self.listening.push((new.listener_id, new.addr.clone())),
            FromSwarm::ExpiredListenAddr(old) => {
                self.listening.retain(|(id, address)| (*id, address) != (old.listener_id, old.addr));
            }
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: Libp2pId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if self.inner.discovered_nodes().len() > MAX_KNOWN {
            self.notices.tell(
                "too many peers on the local network",
                format_args!("mDNS told of more than {MAX_KNOWN} addresses; all were forgotten"),
            );
            if self.renew() {
                return Poll::Ready(ToSwarm::GenerateEvent(Found::Forgotten));
            }
        }
        self.inner.poll(cx).map(|action| action.map_out(Found::Mdns))
    }
}
