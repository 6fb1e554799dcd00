//! The peers of the local network that this peer connects to by itself.
//!
//! Whoever is in that network can make up any number of them, for as long as the peer runs. So a newcomer
//! always has a place: that of the one that was dialed most often in vain, or else of the oldest.

use std::collections::HashMap;
use std::time::Duration;

use libp2p::{Multiaddr, PeerId as Libp2pId};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::discovery::is_local;

/// The most peers that are kept.
const MAX_PEERS: usize = 128;
/// The most addresses of one: a few interfaces, in both families.
const MAX_ADDRESSES: usize = 8;
/// The most dials at a time.
const MAX_AT_ONCE: usize = 4;
/// How long after an attempt the next one may come.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// Discovered peers and when to dial them.
#[derive(Debug, Default)]
pub(super) struct LanPeers(HashMap<Libp2pId, LanPeer>);

#[derive(Debug)]
struct LanPeer {
    addresses: Vec<Multiaddr>,
    due: Instant,
    backoff: Backoff,
    /// Dials since there was a connection.
    in_vain: u32,
    since: Instant,
}

impl LanPeers {
    /// mDNS told of a peer. Addresses outside the local network are left out.
    pub(super) fn discovered(&mut self, peer: Libp2pId, address: Multiaddr, now: Instant) {
        if !is_local(&address) {
            return;
        }
        if self.0.len() >= MAX_PEERS && !self.0.contains_key(&peer) {
            self.make_room();
        }
        let backoff = Backoff::starting_with(FIRST_RETRY);
        let fresh = || LanPeer { addresses: Vec::new(), due: now, backoff, in_vain: 0, since: now };
        let known = self.0.entry(peer).or_insert_with(fresh);
        if !known.addresses.contains(&address) && known.addresses.len() < MAX_ADDRESSES {
            known.addresses.push(address);
        }
    }

    fn make_room(&mut self) {
        let least = self.0.iter().max_by_key(|(_, known)| (known.in_vain, std::cmp::Reverse(known.since)));
        if let Some(peer) = least.map(|(peer, _)| *peer) {
            self.0.remove(&peer);
        }
    }

    /// mDNS has forgotten everything, and tells again of those that are there.
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }

    /// mDNS no longer hears of this address.
    pub(super) fn expired(&mut self, peer: &Libp2pId, address: &Multiaddr) {
        if let Some(known) = self.0.get_mut(peer) {
            known.addresses.retain(|other| other != address);
            if known.addresses.is_empty() {
                self.0.remove(peer);
            }
        }
    }

    /// Who is to be dialed now, and where.
    pub(super) fn due(
        &mut self,
        now: Instant,
        is_connected: impl Fn(&Libp2pId) -> bool,
    ) -> Vec<(Libp2pId, Vec<Multiaddr>)> {
        let mut dials = Vec::new();
        for (peer, known) in &mut self.0 {
            if is_connected(peer) {
                known.backoff.worked();
                known.in_vain = 0;
            } else if known.due <= now && dials.len() < MAX_AT_ONCE {
                known.due = now + known.backoff.failed();
                known.in_vain += 1;
                dials.push((*peer, known.addresses.clone()));
            }
        }
        dials
    }

    /// Whether there is anyone to look after.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_peer_is_dialed_again_ever_later_until_it_is_connected() {
        let (mut lan, peer, start) = (LanPeers::default(), Libp2pId::random(), Instant::now());
        lan.discovered(peer, address("/ip4/192.168.1.7/tcp/4001"), start);
        let dials = |lan: &mut LanPeers, seconds, connected| {
            lan.due(start + Duration::from_secs(seconds), |_| connected).len()
        };
        assert_eq!(dials(&mut lan, 0, false), 1);
        assert_eq!(dials(&mut lan, 1, false), 0);
        assert_eq!(dials(&mut lan, 5, false), 1);
        assert_eq!(dials(&mut lan, 10, false), 0);
        assert_eq!(dials(&mut lan, 15, false), 1);
        assert_eq!(dials(&mut lan, 1000, true), 0);
        assert_eq!(dials(&mut lan, 1000, false), 1);
        lan.expired(&peer, &address("/ip4/192.168.1.7/tcp/4001"));
        assert!(lan.is_empty());
    }

    #[test]
    fn only_the_local_network_is_dialed_and_a_flood_is_bounded() {
        let (mut lan, now) = (LanPeers::default(), Instant::now());
        for claimed in ["/ip4/127.0.0.1/tcp/22", "/ip4/9.9.9.9/tcp/80", "/dns4/x.lan/tcp/1"] {
            lan.discovered(Libp2pId::random(), address(claimed), now);
        }
        assert!(lan.is_empty());
        for _ in 0..10_000 {
            lan.discovered(Libp2pId::random(), address("/ip4/10.0.0.1/tcp/1"), now);
        }
        assert_eq!(lan.0.len(), MAX_PEERS);
        assert_eq!(lan.due(now, |_| false).len(), MAX_AT_ONCE);
    }

    /// What a flood had left behind once kept every peer out that came later.
    #[test]
    fn who_comes_after_a_flood_has_a_place() {
        let (mut lan, start) = (LanPeers::default(), Instant::now());
        let neighbour = Libp2pId::random();
        lan.discovered(neighbour, address("/ip4/10.0.0.2/tcp/1"), start);
        for second in 1..1000 {
            lan.due(start + Duration::from_secs(second), |peer| *peer == neighbour);
            let bogus = address("/ip4/10.0.0.1/tcp/1");
            lan.discovered(Libp2pId::random(), bogus, start + Duration::from_secs(second));
        }
        let (late, end) = (Libp2pId::random(), start + Duration::from_secs(1000));
        lan.discovered(late, address("/ip4/10.0.0.3/tcp/1"), end);
        assert_eq!(lan.0.len(), MAX_PEERS);
        assert!(lan.0.contains_key(&late) && lan.0.contains_key(&neighbour));
    }
}
