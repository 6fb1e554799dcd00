//! The mesh: this peer's identity, its libp2p node, and the four protocols of a Goop² peer.
//!
//! [`Node`] owns the network and ends it when dropped; a [`NodeHandle`] may be cloned and asks it
//! for things. What other peers ask of us goes to [`Services`].

mod admission;
mod arrivals;
mod backoff;
mod behaviour;
mod crowd;
mod dial_guard;
mod dialing;
mod discovery;
mod error;
mod handle;
mod handshakes;
mod herald;
mod identity;
mod intake;
mod lan;
mod limits;
mod muxer;
mod names;
mod network;
mod node;
mod notices;
mod object_end;
mod origin;
mod ping;
mod port;
mod presence;
mod protocols;
mod reservation;
mod serve;
mod stall;
mod streams;

pub(crate) use backoff::Backoff;
pub use behaviour::IDLE_TIMEOUT;
pub use error::{NodeError, ProtocolError};
pub use handle::{MAX_OUTBOUND_STREAMS_PER_PEER, NodeHandle};
pub use identity::{IdentityError, load_or_create, own_id, to_libp2p, to_peer_id};
pub use limits::ConnectionLimits;
pub use network::DIAL_TIMEOUT;
pub use node::{Node, NodeConfig, NodeEvent, PresenceOptions, Services};
pub use port::{LISTEN_FORM, is_listenable};
pub use presence::{
    MAX_EMAIL_BYTES, MAX_PRESENCE_ENTRIES, MAX_PRESENCE_LABEL_BYTES, PresenceEvent, PresentPeer,
};
pub use protocols::{
    CHAT, CONTENT, DATA, MAX_DATA_ANSWER_BYTES, MAX_DATA_REQUEST_BYTES, MAX_LABEL_BYTES, MAX_SITE_BYTES,
    SITE, fetch_content, fetch_site, fetch_site_into, read_chat, request_data, serve_content, serve_data,
    serve_site, write_chat,
};
pub use serve::{DataService, RespondFuture};
