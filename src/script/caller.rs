//! Who calls a script, and how a script's reply gets back to them.

use std::future::Future;
use std::pin::Pin;

use crate::peer_id::PeerId;

/// A peer as scripts see one: its authenticated id and the label it gives itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The id that the transport authenticated; never a claim of the request.
    pub peer: PeerId,
    /// The peer's own name for itself, or empty when it is not known.
    pub label: String,
}

/// Delivers a direct message, so that the engine needs to know nothing of the chat or the node.
pub trait DirectSender: Send + Sync {
    /// Sends `content` to the peer `to`.
    fn send_direct<'a>(&'a self, to: &'a PeerId, content: String) -> SendFuture<'a>;
}

/// What [`DirectSender::send_direct`] returns.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// A direct message did not reach its recipient.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the message to {to} was not delivered: {reason}")]
pub struct SendError {
    /// The recipient.
    pub to: PeerId,
    /// Why, in the transport's words.
    pub reason: String,
}
