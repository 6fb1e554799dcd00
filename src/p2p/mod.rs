//! The mesh: this peer's identity, its libp2p node, and the four protocols of a Goop² peer.
//!
//! [`Node`] owns the network and ends it when dropped; a [`NodeHandle`] may be cloned and asks it
//! for things. What other peers ask of us goes to [`Services`].

mod error;
mod gate;
mod handle;
mod identity;
mod node;
mod object_end;
mod protocols;
mod serve;
mod stall;
mod streams;
mod swarm;

pub use error::{NodeError, ProtocolError};
pub use handle::{MAX_OUTBOUND_STREAMS_PER_PEER, NodeHandle};
pub use identity::{IdentityError, load_or_create, own_id, to_libp2p, to_peer_id};
pub use node::{Node, NodeConfig, Services};
pub use protocols::{
    CHAT, CONTENT, DATA, MAX_DATA_ANSWER_BYTES, MAX_DATA_REQUEST_BYTES, MAX_LABEL_BYTES, MAX_SITE_BYTES,
    SITE, fetch_content, fetch_site, read_chat, request_data, serve_content, serve_data, serve_site,
    write_chat,
};
pub use serve::{DataService, RespondFuture};
pub use swarm::{DIAL_TIMEOUT, IDLE_TIMEOUT};
