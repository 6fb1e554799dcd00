//! The node's owner: starts the network, takes the services, stops both.
//!
//! The chat manager needs a way to send and the node needs the chat manager, so the start is in
//! two steps: [`Node::start`] gives the network and its [`NodeHandle`], with which the services
//! are built; [`Node::serve`] takes them. Rejected: services that are set one by one later, which
//! leaves a node that answers half of what it should for as long as somebody forgets.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::{Multiaddr, StreamProtocol};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::error::NodeError;
use super::handle::NodeHandle;
use super::identity::own_id;
use super::protocols::{CHAT, CONTENT, DATA, SITE};
use super::serve::{self, DataService};
use super::streams::{Inbound, Offered, Streams};
use super::swarm;
use crate::chat;
use crate::peer_id::PeerId;
use crate::site::SiteServer;

/// The most that [`Node::shutdown`] takes.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How many requests of handles may wait for the network's loop, which takes each at once.
const COMMAND_BACKLOG: usize = 64;

/// What a node is started with.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The peer's identity.
    pub keypair: Keypair,
    /// Where to listen: `/ip4/…/tcp/…` or `/ip6/…/tcp/…`; port 0 lets the system choose. Empty
    /// for a client, which still gets replies over the connections it makes.
    pub listen: Vec<Multiaddr>,
    /// The label told to peers that ask `/goop/content/1.0.0`.
    pub label: String,
}

/// What answers other peers. A protocol without its service is not offered, except the site,
/// whose protocol has an answer for that.
#[derive(Clone, Default)]
pub struct Services {
    /// Receives chat messages.
    pub chat: Option<Arc<chat::Manager>>,
    /// Answers data requests.
    pub data: Option<Arc<dyn DataService>>,
    /// Serves the site.
    pub site: Option<Arc<SiteServer>>,
}

impl Services {
    fn protocols(&self) -> Vec<StreamProtocol> {
        let mut protocols = vec![SITE, CONTENT];
        if self.chat.is_some() {
            protocols.push(CHAT);
        }
        if self.data.is_some() {
            protocols.push(DATA);
        }
        protocols
    }
}

/// A running libp2p node. Dropping it ends its connections and tasks at once;
/// [`Node::shutdown`] lets exchanges in progress end first.
pub struct Node {
    handle: NodeHandle,
    label: String,
    offered: Arc<OnceLock<Vec<StreamProtocol>>>,
    inbound: Option<mpsc::UnboundedReceiver<Inbound>>,
    addresses: watch::Receiver<Option<Vec<Multiaddr>>>,
    stop: watch::Sender<bool>,
    network: JoinHandle<()>,
    serving: Option<JoinHandle<()>>,
}

impl Node {
    /// Starts the network and listens. Until [`Node::serve`], other peers are told that no
    /// protocol is supported. Needs a tokio runtime.
    ///
    /// # Errors
    /// When an address can't be listened on, or the network can't be built.
    pub fn start(config: NodeConfig) -> Result<Self, NodeError> {
        let failed = |error: &dyn std::fmt::Display| NodeError::Start { reason: error.to_string() };
        let own = own_id(&config.keypair).map_err(|error| failed(&error))?;
        let (inbound_sender, inbound) = mpsc::unbounded_channel();
        let offered = Arc::new(OnceLock::<Vec<StreamProtocol>>::new());
        let reader = offered.clone();
        let offer: Offered = Arc::new(move || reader.get().cloned().unwrap_or_default());
        let mut swarm = swarm::build(config.keypair, Streams::new(offer, inbound_sender))?;
        let listeners = swarm::listen(&mut swarm, config.listen)?;
        let (command_sender, commands) = mpsc::channel(COMMAND_BACKLOG);
        let (address_sender, addresses) = watch::channel(None);
        let network = tokio::spawn(swarm::Network::new(swarm, listeners, address_sender).run(commands));
        Ok(Self {
            handle: NodeHandle::new(own, command_sender),
            label: config.label,
            offered,
            inbound: Some(inbound),
            addresses,
            stop: watch::Sender::new(false),
            network,
            serving: None,
        })
    }

    /// Offers the protocols of `services` and serves them from now on. Called once; the services
    /// of a second call are dropped.
    pub fn serve(&mut self, services: Services) {
        let Some(inbound) = self.inbound.take() else { return };
        let protocols = services.protocols();
        let serving = serve::run(inbound, services, self.label.clone(), self.stop.subscribe());
        self.serving = Some(tokio::spawn(serving));
        // Set only here, and `inbound` is taken once.
        let _ = self.offered.set(protocols);
    }

    /// This peer's id.
    pub fn id(&self) -> &PeerId {
        self.handle.id()
    }

    /// A handle that asks this node for things.
    pub fn handle(&self) -> NodeHandle {
        self.handle.clone()
    }

    /// Where the node listens, with the ports that the system chose and `/p2p/ID`. Waits until
    /// every listener has an address; empty for a node that listens nowhere.
    pub async fn addresses(&self) -> Vec<Multiaddr> {
        let mut addresses = self.addresses.clone();
        match addresses.wait_for(Option::is_some).await {
            Ok(known) => known.clone().unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// Stops: takes no new streams, lets those in progress end (two seconds), then closes every
    /// connection. Takes five seconds at most.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(mut serving) = self.serving.take()
            && timeout(SHUTDOWN_TIMEOUT, &mut serving).await.is_err()
        {
            serving.abort();
        }
        self.network.abort();
        let _ = (&mut self.network).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.network.abort();
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}
