//! A visitor: a node without a site, for the commands that ask another peer for something.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::io::AsyncWrite;
use goop2::chat::{Manager, Message, MessageKind};
use goop2::p2p::{Node, NodeConfig, NodeHandle, PresenceOptions, Services, load_or_create};
use goop2::peer_id::PeerId;
use libp2p::identity::Keypair;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::address::PeerAddress;
use super::failure::{CommandResult, Failure};

/// How long a host may take to listen to announcements; it does so as soon as it is connected.
const ANNOUNCE_TIMEOUT: Duration = Duration::from_secs(1);

/// Whom a client command asks, and as whom.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Connection {
    /// The peer's address: a multiaddr that ends in /p2p/ID
    #[arg(value_name = "ADDR")]
    pub(crate) address: PeerAddress,

    /// The key file of the identity to ask as; made if it is missing. Without it, a new identity each time
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<std::path::PathBuf>,
}

impl Connection {
    /// Connects to the peer.
    pub(crate) async fn open(&self) -> CommandResult<Client> {
        Client::connect(&self.address, self.identity.as_deref(), "").await
    }
}

/// A connected visitor. Dropping it ends the connection.
pub(crate) struct Client {
    // Held for its connection.
    node: Node,
    handle: NodeHandle,
    chat: Arc<Manager>,
    host: PeerId,
}

/// A peer's answer to a data request that it refused, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refused {
    message: String,
}

/// The visitor and the host would be one.
#[derive(Debug, thiserror::Error)]
#[error(
    "the address is that of the identity's own peer, which can't visit itself. Its owner asks by its folder: \
     `goop2 data DIR JSON` for tables, `goop2 run SCRIPT --peer DIR` for scripts"
)]
struct OwnPeer;

impl Client {
    /// Connects to the peer at `address` with the identity in the file `identity`, or a throw-away
    /// one. Fails with the reason within ten seconds.
    pub(crate) async fn connect(
        address: &PeerAddress,
        identity: Option<&Path>,
        label: &str,
    ) -> CommandResult<Self> {
        let keypair = match identity {
            // A file that is no key, and a folder, are input that can't be read.
            Some(file) => load_or_create(file).map_err(Failure::usage)?,
            None => Keypair::generate_ed25519(),
        };
        if address.id() == Some(keypair.public().to_peer_id()) {
            return Err(Failure::usage(OwnPeer));
        }
        // Only somebody with a name announces it; the other commands need none.
        let presence = if label.is_empty() { None } else { Some(PresenceOptions::default()) };
        let announces = presence.is_some();
        let config = NodeConfig { label: label.to_owned(), presence, ..NodeConfig::new(keypair) };
        let mut node = Node::start(config)?;
        let handle = node.handle();
        let chat = Arc::new(Manager::new(handle.id().clone(), Arc::new(handle.clone()), None));
        node.serve(Services { chat: Some(chat.clone()), ..Services::default() });
        let host = handle.dial(address.0.clone()).await?;
        if announces {
            // A host that does not listen is asked all the same, by somebody without a name.
            handle.announce_to(&host, ANNOUNCE_TIMEOUT).await;
        }
        Ok(Self { node, handle, chat, host })
    }

    /// The visitor's own id.
    pub(crate) fn id(&self) -> &PeerId {
        self.node.id()
    }

    /// Fetches a file of the host's site: its media type and bytes.
    pub(crate) async fn get(&self, path: &str) -> CommandResult<(String, Vec<u8>)> {
        Ok(self.handle.fetch_site(&self.host, &on_site(path)).await?)
    }

    /// As [`Client::get`], into `sink` piece by piece; gives the media type and the size.
    pub(crate) async fn get_into(
        &self,
        path: &str,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> CommandResult<(String, u64)> {
        Ok(self.handle.fetch_site_into(&self.host, &on_site(path), sink).await?)
    }

    /// Sends one data request and gives the whole answer, whether the host did it or not.
    pub(crate) async fn data(&self, request: &Value) -> CommandResult<Value> {
        Ok(self.handle.request_data(&self.host, request).await?)
    }

    /// Sends one data request that has to work. The answer is under the first of `keys` that is
    /// there: newer and older peers differ in it.
    pub(crate) async fn ask(&self, request: &Value, keys: &[&str]) -> CommandResult<Value> {
        let answer = self.data(request).await?;
        if !is_ok(&answer) {
            return Err(Refused { message: refusal(&answer) }.into());
        }
        let found = keys.iter().find_map(|key| answer.pointer(key));
        Ok(found.cloned().unwrap_or(Value::Null))
    }

    /// Calls a data function.
    pub(crate) async fn call(&self, function: &str, params: &Value) -> CommandResult<Value> {
        let request = json!({ "op": "lua-call", "function": function, "params": params });
        self.ask(&request, &["/result", "/data"]).await
    }

    /// The host's data functions.
    pub(crate) async fn functions(&self) -> CommandResult<Value> {
        let functions = self.ask(&json!({ "op": "lua-list" }), &["/functions", "/data/functions"]).await?;
        Ok(if functions.is_null() { json!([]) } else { functions })
    }

    /// Sends a direct message and waits for the first reply; `None` when none comes in time.
    pub(crate) async fn chat(&self, text: String, wait: Duration) -> CommandResult<Option<Arc<Message>>> {
        // Before sending, so that no reply is too early.
        let mut heard = self.chat.subscribe();
        self.chat.send_direct(&self.host, text).await?;
        let reply = async {
            loop {
                match heard.recv().await {
                    Ok(message) if message.from == self.host && message.kind == MessageKind::Direct => {
                        return Some(message);
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        };
        Ok(timeout(wait, reply).await.unwrap_or(None))
    }
}

/// A path as it may be typed, without its first slash.
fn on_site(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// Whether the answer says that the request was done.
pub(crate) fn is_ok(answer: &Value) -> bool {
    answer.get("ok").and_then(Value::as_bool) == Some(true)
}

/// Why the answer says that it was not.
pub(crate) fn refusal(answer: &Value) -> String {
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => error.to_owned(),
        None => format!("the peer answered without a reason: {answer}"),
    }
}
