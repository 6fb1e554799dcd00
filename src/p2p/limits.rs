//! How much of this peer strangers may take, in numbers that belong together.

/// Connections of one peer. Two peers that dial each other at once have two; one more while an old
/// one dies.
pub(super) const MAX_PER_PEER: usize = 3;

/// Connections that we make: dials of the owner, and peers found on the local network.
pub(super) const MAX_OUTBOUND: usize = 48;

/// Dials at a time.
pub(super) const MAX_DIALING: usize = 32;

/// Streams of the other side on one connection: 24 served, as many that wait, and one each for
/// identify, ping and gossip while those are fewer. Each holds at most a window of 256 KiB that
/// nobody reads yet: 12 MiB for a connection.
pub(super) const MAX_INBOUND_STREAMS: usize = 48;

/// Streams on one connection, both directions; Yamux ends the connection of a peer that opens
/// more. Beyond those of the other side, there are 12 that we asked for, identify, ping, gossip and
/// relaying, and some that were reset and of whose end the other side has not heard.
pub(super) const MAX_MUXED_STREAMS: usize = 80;

/// How many streams of one connection are reset before it is closed.
pub(super) const MAX_RESET_STREAMS: usize = 1000;

/// Requests of one connection that wait for others of the same peer to end.
pub(super) const MAX_WAITING_STREAMS: usize = 24;

/// Streams of one connection whose protocol is being negotiated.
pub(super) const MAX_NEGOTIATING: usize = 24;

/// Inbound streams in service for one peer: twice what this implementation opens to one peer, so
/// that a page with many pictures loads.
const MAX_STREAMS_PER_PEER: usize = 24;

/// Inbound streams in service for one address: two peers' worth.
const MAX_STREAMS_PER_ADDRESS: usize = 48;

/// Inbound streams in service in all. Each may hold a request of 1 MiB and a data answer of 4 MiB.
const MAX_STREAMS: usize = 128;

/// Handshakes at a time, from all and from one address. An honest one takes a few round trips.
const MAX_HANDSHAKES: usize = 64;
const MAX_HANDSHAKES_PER_ADDRESS: usize = 16;

/// How many connections a node takes from others. What else is bounded follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Inbound connections from everybody. Each costs some 100 KB, and at most 20 MiB while a
    /// proved identity attacks.
    pub total: usize,
    /// Inbound connections from one IPv4 address, one IPv6 /64, or one relay.
    pub per_address: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { total: 96, per_address: 24 }
    }
}

impl ConnectionLimits {
    /// Whoever allows more connections than usual has visitors who all ask at once.
    pub(super) fn streams(self) -> super::crowd::CrowdLimits {
        super::crowd::CrowdLimits {
            total: MAX_STREAMS.max(self.total),
            per_origin: MAX_STREAMS_PER_ADDRESS.max(self.per_address),
            per_member: MAX_STREAMS_PER_PEER,
            prefers_new: false,
        }
    }

    pub(super) fn handshakes(self) -> super::crowd::CrowdLimits {
        let per_origin = MAX_HANDSHAKES_PER_ADDRESS.max(self.per_address / 2);
        super::crowd::CrowdLimits {
            total: MAX_HANDSHAKES.max(self.total / 2),
            per_origin,
            per_member: per_origin + 1,
            prefers_new: true,
        }
    }
}
