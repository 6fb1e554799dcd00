//! Chat between peers: the message on the wire, and the manager that receives, keeps and sends
//! messages and hands commands (`!…`) to the scripts.
//!
//! This layer knows neither libp2p nor how a stream is opened: a [`Transport`] is handed in.

mod history;
mod manager;
mod message;

pub use history::{MAX_HISTORY_BYTES, MAX_HISTORY_MESSAGES};
pub use manager::{
    ChatError, Commands, DispatchFuture, MAX_DISPATCHES, MAX_DISPATCHES_PER_PEER, Manager, Transport,
};
pub use message::{MAX_ID_BYTES, MAX_MESSAGE_BYTES, Message, MessageError, MessageKind};
