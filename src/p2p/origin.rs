//! Where a connection comes from, as far as limits go: an identity is free, an address is not.
//!
//! An IPv4 host has one address, an IPv6 host a whole /64, so those are what is counted. Loopback
//! and private addresses are counted like any other: a tunnel or a reverse proxy makes strangers
//! appear there. All that come through one relay are one origin, because the relay alone knows
//! where they come from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId as Libp2pId};

/// What connections are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// One IPv4 address.
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address.
    V6(u64),
    /// Everybody behind this relay.
    Relay(Libp2pId),
    /// No address that this peer understands.
    Unknown,
}

impl Origin {
    /// The origin of an inbound connection. Of a relayed one, only `local` names the relay.
    pub(super) fn of_inbound(local: &Multiaddr, remote: &Multiaddr) -> Self {
        match relay_of(local) {
            Some(relay) => Self::Relay(relay),
            None => Self::of(remote),
        }
    }

    /// The origin behind an address that was dialed.
    pub(super) fn of(address: &Multiaddr) -> Self {
        if let Some(relay) = relay_of(address) {
            return Self::Relay(relay);
        }
        match ip_of(address) {
            Some(IpAddr::V4(ip)) => Self::V4(ip),
            Some(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = ip.segments();
                let prefix = [a, b, c, d].iter().fold(0, |bits, part| bits << 16 | u64::from(*part));
                Self::V6(prefix)
            }
            None => Self::Unknown,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(ip) => ip.fmt(f),
            Self::V6(prefix) => write!(f, "{}/64", Ipv6Addr::from(u128::from(*prefix) << 64)),
            Self::Relay(relay) => write!(f, "the relay {relay}"),
            Self::Unknown => f.write_str("an unknown address"),
        }
    }
}

/// How far away an address is: each kind can be reached from the ones after it only by someone who
/// is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// This machine.
    Loopback,
    /// The local network.
    Private,
    /// Anywhere.
    Global,
}

impl Reach {
    /// The reach of a `/ip4` or `/ip6` address; `None` for what is no address of one host.
    pub(super) fn of(address: &Multiaddr) -> Option<Self> {
        match ip_of(address)? {
            IpAddr::V4(ip) if ip.is_loopback() => Some(Self::Loopback),
            IpAddr::V6(ip) if ip.is_loopback() => Some(Self::Loopback),
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) if ip.is_unspecified() || ip.is_multicast() => None,
            IpAddr::V6(ip) if ip.is_unique_local() || ip.is_unicast_link_local() => Some(Self::Private),
            // 2000::/3 is all that is given out.
            IpAddr::V6(ip) if ip.segments().first().is_some_and(|first| first & 0xe000 == 0x2000) => {
                Some(Self::Global)
            }
            IpAddr::V6(_) => None,
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Option<Self> {
        let [a, b, ..] = ip.octets();
        if a == 0 || ip.is_multicast() || a >= 240 {
            return None;
        }
        // 100.64.0.0/10 is a provider's own network, 198.18.0.0/15 a laboratory's; the addresses of
        // documents are used in test networks.
        let shared = a == 100 && (64..128).contains(&b) || a == 198 && (18..20).contains(&b);
        if ip.is_private() || ip.is_link_local() || ip.is_documentation() || shared {
            return Some(Self::Private);
        }
        Some(Self::Global)
    }
}

/// The host of an address, an IPv4 address in IPv6 clothes as what it is.
pub(super) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip).to_canonical()),
        _ => None,
    }
}

/// The relay of a circuit address, the id before `/p2p-circuit`.
fn relay_of(address: &Multiaddr) -> Option<Libp2pId> {
    let mut relay = None;
    for part in address {
        match part {
            Protocol::P2p(id) => relay = Some(id),
            Protocol::P2pCircuit => return relay,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Origin {
        Origin::of(&address.parse().unwrap())
    }

    #[test]
    fn a_host_is_one_origin_however_many_addresses_it_has() {
        assert_eq!(origin("/ip4/192.0.2.1/tcp/1"), origin("/ip4/192.0.2.1/tcp/9"));
        assert_ne!(origin("/ip4/192.0.2.1/tcp/1"), origin("/ip4/192.0.2.2/tcp/1"));
        assert_eq!(origin("/ip6/2001:db8:1:2::1/tcp/1"), origin("/ip6/2001:db8:1:2:f::9/tcp/1"));
        assert_ne!(origin("/ip6/2001:db8:1:2::1/tcp/1"), origin("/ip6/2001:db8:1:3::1/tcp/1"));
        assert_eq!(origin("/ip6/::ffff:192.0.2.1/tcp/1"), origin("/ip4/192.0.2.1/tcp/1"));
        assert_eq!(origin("/ip6/2001:db8:1:2::1/tcp/1").to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn all_behind_a_relay_are_one_origin() {
        let relay = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
        let local = format!("/ip4/192.0.2.1/tcp/1/p2p/{relay}/p2p-circuit");
        let found = Origin::of_inbound(&local.parse().unwrap(), &"/ip4/10.0.0.1".parse().unwrap());
        assert_eq!(found, Origin::Relay(relay.parse().unwrap()));
    }

    #[test]
    fn the_reach_of_an_address_is_known() {
        for (address, reach) in [
            ("/ip4/127.0.0.1/tcp/1", Some(Reach::Loopback)),
            ("/ip6/::ffff:127.0.0.1/tcp/1", Some(Reach::Loopback)),
            ("/ip4/10.1.2.3/tcp/1", Some(Reach::Private)),
            ("/ip4/169.254.169.254/tcp/80", Some(Reach::Private)),
            ("/ip4/100.100.0.1/tcp/80", Some(Reach::Private)),
            ("/ip4/192.0.2.2/tcp/80", Some(Reach::Private)),
            ("/ip6/fe80::1/tcp/1", Some(Reach::Private)),
            ("/ip6/fd00::1/tcp/1", Some(Reach::Private)),
            ("/ip4/9.9.9.9/tcp/1", Some(Reach::Global)),
            ("/ip6/2600::1/tcp/1", Some(Reach::Global)),
            ("/ip4/0.0.0.0/tcp/1", None),
            ("/ip4/224.0.0.251/udp/1", None),
            ("/dns4/localhost/tcp/1", None),
        ] {
            assert_eq!(Reach::of(&address.parse().unwrap()), reach, "{address}");
        }
    }
}
