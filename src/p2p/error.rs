//! What can go wrong between peers, in words for the owner.

use std::io;
use std::time::Duration;

use libp2p::{Multiaddr, StreamProtocol};

use crate::peer_id::PeerId;

/// An exchange over an open stream failed.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The stream failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the stream said.
        source: io::Error,
    },
    /// The other side took too long.
    #[error("{doing}: not done within {} s", .limit.as_secs())]
    Timeout {
        /// What was being done.
        doing: &'static str,
        /// The time allowed.
        limit: Duration,
    },
    /// There were more bytes than allowed; the rest was not read.
    #[error("{what} is longer than the {limit} bytes allowed")]
    TooLong {
        /// What was.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// The stream ended early.
    #[error("{what} ended after {found} of {announced} bytes")]
    Truncated {
        /// What did.
        what: &'static str,
        /// How many bytes came.
        found: u64,
        /// How many were announced.
        announced: u64,
    },
    /// The stream ended where something had to come.
    #[error("the peer closed the stream without {missing}; it may be busy, or refuses this peer")]
    NoAnswer {
        /// What did not come.
        missing: &'static str,
    },
    /// The peer refused, in its own words.
    #[error("the peer refused: {reason}")]
    Refused {
        /// The reason it gave; at most 200 characters.
        reason: String,
    },
    /// The bytes are not what the protocol says.
    #[error("{what} is malformed: {found}")]
    Malformed {
        /// What is.
        what: &'static str,
        /// What was found; at most 200 characters.
        found: String,
    },
}

/// The node can't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The node can't be built.
    #[error("the node can't start: {reason}")]
    Start {
        /// Why.
        reason: String,
    },
    /// An address can't be listened on.
    #[error("can't listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// Why.
        reason: String,
    },
    /// The address does not say which peer is there.
    #[error("{address} does not name a peer: an address must end in /p2p/ID")]
    NoPeerId {
        /// The address.
        address: Multiaddr,
    },
    /// The id is base58, but of no key.
    #[error("{peer} is not a libp2p peer id")]
    NotAPeerId {
        /// The id.
        peer: PeerId,
    },
    /// The peer can't be reached.
    #[error("{peer} can't be reached: {reason}")]
    Unreachable {
        /// The peer.
        peer: PeerId,
        /// Why, address by address.
        reason: String,
    },
    /// The peer does not speak the protocol.
    #[error("{peer} does not support {protocol}")]
    UnsupportedProtocol {
        /// The peer.
        peer: PeerId,
        /// The protocol.
        protocol: StreamProtocol,
    },
    /// The connection did not carry the stream.
    #[error("no {protocol} stream to {peer}: {reason}")]
    Stream {
        /// The peer.
        peer: PeerId,
        /// The protocol.
        protocol: StreamProtocol,
        /// Why.
        reason: String,
    },
    /// Too many requests to the peer wait for it.
    #[error("{peer} is busy: {limit} requests to it are under way, and no turn came")]
    Busy {
        /// The peer.
        peer: PeerId,
        /// How many requests to one peer are under way at most.
        limit: usize,
    },
    /// The exchange failed.
    #[error("{protocol} with {peer}: {source}")]
    Exchange {
        /// The peer.
        peer: PeerId,
        /// The protocol.
        protocol: StreamProtocol,
        /// Why.
        source: ProtocolError,
    },
    /// The node was stopped.
    #[error("this peer's node has stopped")]
    Stopped,
}
