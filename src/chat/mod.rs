//! Chat between peers: the message on the wire, and the manager that receives, keeps and sends
//! messages and hands commands (`!…`) to the scripts.
//!
//! This layer knows neither libp2p nor how a stream is opened: a [`Transport`] is handed in.

mod broadcast;
mod history;
mod manager;
mod message;
mod running;
mod transport;

pub use broadcast::{Broadcast, MAX_BROADCAST_AT_ONCE};
pub use history::{
    HISTORY_FILE, History, HistoryPage, KeptMessage, MAX_HISTORY_BYTES, MAX_HISTORY_MESSAGES,
    MAX_HISTORY_PAGE,
};
pub use manager::{ChatError, MAX_DISPATCHES, MAX_DISPATCHES_PER_PEER, MAX_MESSAGES_PER_MINUTE, Manager};
pub use message::{MAX_ID_BYTES, MAX_MESSAGE_BYTES, Message, MessageError, MessageKind};
pub use transport::{Commands, DispatchFuture, PeersFuture, Transport};
