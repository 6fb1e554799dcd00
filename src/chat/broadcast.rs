//! One message to every peer in reach.
//!
//! A broadcast is an ordinary chat message without a recipient, sent to each peer on a stream of its
//! own, as deployed peers do: so each receiver knows from the handshake who it is from, and a peer
//! that takes no chat costs the others nothing. Rejected: gossip, which carries presence only; a
//! deployed peer would not see it there.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::manager::Manager;
use super::message::{Message, MessageKind};
use crate::peer_id::PeerId;
use crate::script::SendError;

/// How many peers a broadcast is delivered to at a time. One that does not answer keeps its place
/// until the transport gives it up.
pub const MAX_BROADCAST_AT_ONCE: usize = 16;

/// What became of a broadcast.
#[derive(Debug)]
pub struct Broadcast {
    /// The message, which is in the history now, whoever got it.
    pub message: Arc<Message>,
    /// Who took it.
    pub delivered: Vec<PeerId>,
    /// Who did not, and why.
    pub failed: Vec<SendError>,
}

impl Manager {
    /// Sends `content` to every peer in reach and waits until each has taken it or failed to.
    ///
    /// # Errors
    /// When the message is too long; nothing is sent then.
    pub async fn broadcast(&self, content: String) -> Result<Broadcast, super::MessageError> {
        let message = self.message(MessageKind::Broadcast, "", content);
        let bytes = message.encode()?;
        let peers = self.transport().peers().await;
        let deliveries = peers.into_iter().map(|peer| {
            let bytes = bytes.clone();
            async move { (self.transport().deliver(&peer, bytes).await, peer) }
        });
        let mut ended = stream::iter(deliveries).buffer_unordered(MAX_BROADCAST_AT_ONCE);
        let (mut delivered, mut failed) = (Vec::new(), Vec::new());
        while let Some((sent, peer)) = ended.next().await {
            match sent {
                Ok(()) => delivered.push(peer),
                Err(error) => failed.push(error),
            }
        }
        let message = self.keep_sent(message).await;
        Ok(Broadcast { message, delivered, failed })
    }
}
