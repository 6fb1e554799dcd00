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
use parking_lot::Mutex;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::arrivals::Arrivals;
use super::behaviour;
use super::dialing::Dialing;
use super::error::NodeError;
use super::handle::NodeHandle;
use super::herald::Herald;
use super::identity::own_id;
use super::intake::Inbound;
use super::lan::LanPeers;
use super::limits::ConnectionLimits;
use super::network::{self, Network};
use super::notices::Notices;
use super::presence::{PresenceEvent, PresenceTable, SharedPresence};
use super::protocols::{CHAT, CONTENT, DATA, SITE};
use super::reservation::Reservation;
use super::serve::{self, DataService};
use super::streams::{Offered, Streams};
use crate::chat;
use crate::peer_id::PeerId;
use crate::site::SiteServer;

/// The most that [`Node::shutdown`] takes.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How many requests of handles may wait for the network's loop, which takes each at once.
const COMMAND_BACKLOG: usize = 64;

/// How many events a slow listener may be behind before it misses some.
const EVENT_BACKLOG: usize = 256;

/// How long after the farewell the connections stay, so that it leaves this machine.
const FAREWELL_TIME: Duration = Duration::from_millis(200);

/// What a node is started with.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The peer's identity.
    pub keypair: Keypair,
    /// Where to listen: `/ip4/…/tcp/…` or `/ip6/…/tcp/…`; port 0 lets the system choose. Empty
    /// for a client, which still gets replies over the connections it makes.
    pub listen: Vec<Multiaddr>,
    /// The label told to peers that ask `/goop/content/1.0.0`, and announced.
    pub label: String,
    /// How many connections others may make.
    pub limits: ConnectionLimits,
    /// How this peer announces itself; `None` neither announces nor listens to others.
    pub presence: Option<PresenceOptions>,
    /// Whether peers on the local network are looked for, and may find this one. Without effect
    /// for a node that listens on loopback only, or nowhere.
    pub mdns: bool,
    /// A relay through which this peer can be reached, an address that ends in `/p2p/ID`.
    pub relay: Option<Multiaddr>,
}

impl NodeConfig {
    /// A node that listens nowhere, looks for nobody and announces nothing.
    pub fn new(keypair: Keypair) -> Self {
        Self {
            keypair,
            listen: Vec::new(),
            label: String::new(),
            limits: ConnectionLimits::default(),
            presence: None,
            mdns: false,
            relay: None,
        }
    }
}

/// How a peer announces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceOptions {
    /// The GossipSub topic.
    pub topic: String,
    /// How long a peer may be silent before it is offline.
    pub ttl: Duration,
    /// How often this peer announces itself; a third of `ttl` at most, or it flickers.
    pub heartbeat: Duration,
    /// The owner's e-mail address; not announced when empty.
    pub email: String,
}

impl Default for PresenceOptions {
    /// What deployed peers use.
    fn default() -> Self {
        Self {
            topic: "goop.presence.v1".to_owned(),
            ttl: Duration::from_secs(20),
            heartbeat: Duration::from_secs(5),
            email: String::new(),
        }
    }
}

/// Something happened in the mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeEvent {
    /// A peer came, changed or went.
    Presence(PresenceEvent),
    /// A peer that was met through a relay is now connected directly.
    Direct {
        /// The peer.
        peer: PeerId,
    },
    /// The relay took this peer in.
    Reachable {
        /// How others can reach it there.
        address: Multiaddr,
    },
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
    presence: SharedPresence,
    notices: Notices,
    offered: Arc<OnceLock<Vec<StreamProtocol>>>,
    inbound: Option<mpsc::UnboundedReceiver<Inbound>>,
    addresses: watch::Receiver<Option<Vec<Multiaddr>>>,
    events: broadcast::Sender<NodeEvent>,
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
        let own = own_id(&config.keypair).map_err(|error| NodeError::Start { reason: error.to_string() })?;
        let notices = Notices::default();
        let (inbound_sender, inbound) = mpsc::unbounded_channel();
        let offered = Arc::new(OnceLock::<Vec<StreamProtocol>>::new());
        let reader = offered.clone();
        let offer: Offered = Arc::new(move || reader.get().cloned().unwrap_or_default());
        let streams = Streams::new(offer, inbound_sender, config.limits, notices.clone());
        let mut swarm = behaviour::build(&config, streams, &notices)?;
        let silent = network::listen(&mut swarm, &config.listen)?;
        let ttl = config.presence.clone().unwrap_or_default().ttl;
        let presence = Arc::new(Mutex::new(PresenceTable::new(ttl)));
        let herald = config
            .presence
            .map(|said| Herald::new(said, config.label.clone(), presence.clone(), notices.clone()));
        let (commands, requests) = mpsc::channel(COMMAND_BACKLOG);
        let (address_sender, addresses) = watch::channel(None);
        let events = broadcast::Sender::new(EVENT_BACKLOG);
        let network = Network {
            swarm,
            silent,
            listening_changed: true,
            addresses: address_sender,
            events: events.clone(),
            herald,
            relay: config.relay.map(Reservation::new),
            dialing: Dialing::default(),
            lan: LanPeers::default(),
            leaving: Vec::new(),
        };
        Ok(Self {
            handle: NodeHandle::new(own, commands, presence.clone()),
            label: config.label,
            presence,
            notices,
            offered,
            inbound: Some(inbound),
            addresses,
            events,
            stop: watch::Sender::new(false),
            network: tokio::spawn(network.run(requests)),
            serving: None,
        })
    }

    /// Offers the protocols of `services` and serves them from now on. Called once; the services
    /// of a second call are dropped.
    pub fn serve(&mut self, services: Services) {
        let Some(inbound) = self.inbound.take() else { return };
        let protocols = services.protocols();
        let context = serve::Context {
            services,
            label: self.label.clone(),
            presence: self.presence.clone(),
            notices: self.notices.clone(),
            chat_arrivals: Arrivals::default(),
        };
        let serving = serve::run(inbound, context, self.stop.subscribe());
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

    /// What happens in the mesh from now on.
    pub fn events(&self) -> broadcast::Receiver<NodeEvent> {
        self.events.subscribe()
    }

    /// Stops: says that it goes, takes no new streams, lets those in progress end (two seconds),
    /// then closes every connection. Takes some five seconds at most.
    pub async fn shutdown(mut self) {
        let heard = self.handle.farewell().await;
        let sent = sleep(if heard { FAREWELL_TIME } else { Duration::ZERO });
        self.stop.send_replace(true);
        if let Some(mut serving) = self.serving.take()
            && timeout(SHUTDOWN_TIMEOUT, &mut serving).await.is_err()
        {
            serving.abort();
        }
        sent.await;
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
