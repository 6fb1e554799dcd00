//! What the chat is handed: something that carries messages, and something that answers commands.

use std::future::Future;
use std::pin::Pin;

use crate::peer_id::PeerId;
use crate::script::{Caller, DirectSender, Engine, SendFuture};

/// Carries encoded messages to peers, and knows their names for themselves.
pub trait Transport: Send + Sync {
    /// Delivers one encoded message to `to`.
    fn deliver<'a>(&'a self, to: &'a PeerId, message: Vec<u8>) -> SendFuture<'a>;

    /// The peer's label, or empty when it is not known.
    fn label_of(&self, peer: &PeerId) -> String;

    /// The peers that a broadcast goes to: all that can be reached now.
    fn peers(&self) -> PeersFuture<'_> {
        Box::pin(async { Vec::new() })
    }
}

/// What [`Transport::peers`] returns.
pub type PeersFuture<'a> = Pin<Box<dyn Future<Output = Vec<PeerId>> + Send + 'a>>;

/// What [`Commands::dispatch`] returns.
pub type DispatchFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Answers commands; the script engine, or a stand-in.
pub trait Commands: Send + Sync {
    /// Answers the command `text`; replies go out through `sender`.
    fn dispatch<'a>(
        &'a self,
        caller: &'a Caller,
        text: &'a str,
        sender: &'a dyn DirectSender,
    ) -> DispatchFuture<'a>;
}

impl Commands for Engine {
    fn dispatch<'a>(
        &'a self,
        caller: &'a Caller,
        text: &'a str,
        sender: &'a dyn DirectSender,
    ) -> DispatchFuture<'a> {
        Box::pin(Engine::dispatch(self, caller, text, sender))
    }
}
