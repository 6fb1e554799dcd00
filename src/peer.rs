//! One peer: builds the parts from a folder, runs them, stops them.
//!
//! The parts know nothing of each other beyond what they are handed here, so this is the one place
//! that says what a peer is made of. Starting is all or nothing: a part that can't be had is an
//! error, and those before it are dropped, which ends them. The alternative, a peer that runs with
//! what it could get, would leave its owner to find out from a visitor what is missing.

mod create;
mod dialing;
mod events;
mod lock;
mod owner;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::chat::{Commands, History, Manager};
use crate::config::{Config, ConfigError, FILE_NAME};
use crate::data::Handler;
use crate::p2p::{
    ConnectionLimits, DataService, IdentityError, Node, NodeConfig, NodeError, PresenceOptions, PresentPeer,
    RespondFuture, Services, load_or_create, own_id,
};
use crate::peer_id::{PeerId, PeerIdError};
use crate::script::{Caller, Engine, EngineError, ScriptEvent};
use crate::site::SiteServer;
use crate::store::{Database, StoreError};

pub use create::{NewPeer, NewPeerError, create};
pub use events::{Feed, PeerEvent, PeerEvents};
use lock::FolderLock;
pub use owner::OwnerData;

pub use crate::config::SITE_DIR;

/// How long listeners may take to say where they listen; the system answers at once.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long scripts under way may take to end while the peer stops. Longer ones are abandoned.
const SCRIPTS_TIMEOUT: Duration = Duration::from_secs(5);

/// How a peer is started, beyond what its folder says.
#[derive(Debug, Clone, Default)]
pub struct PeerOptions {
    /// Where to listen. `None` is every interface, IPv4 and where there is one IPv6, at the port
    /// `p2p.listen_port`; an empty list is nowhere.
    pub listen: Option<Vec<Multiaddr>>,
    /// Peers to connect to once the peer runs, each an address that ends in `/p2p/ID`. They are
    /// tried again for as long as the peer runs, and when the connection is lost.
    pub dial: Vec<Multiaddr>,
}

/// A running peer. Dropping it ends it at once; [`Peer::shutdown`] lets what is under way end.
pub struct Peer {
    node: Node,
    chat: Arc<Manager>,
    engine: Option<Arc<Engine>>,
    early: events::EarlyEvents,
    _background: JoinSet<()>,
    _lock: FolderLock,
}

impl Peer {
    /// Starts the peer of the folder `dir`. A folder without a key gets one, and one without a
    /// database an empty one.
    ///
    /// # Errors
    /// When `dir` is no peer folder, or a part of the peer can't be had; the error says which.
    pub async fn start(dir: &Path, options: PeerOptions) -> Result<Self, PeerError> {
        let dir = dir.to_owned();
        let parts = tokio::task::spawn_blocking(move || Parts::open(dir)).await;
        let parts = parts.map_err(|error| PeerError::Interrupted { reason: error.to_string() })??;
        let Parts { lock: _lock, dir, config, keypair, own, database, history, engine } = parts;
        let listen = options.listen.unwrap_or_else(|| everywhere(config.p2p.listen_port));
        let mut node = Node::start(NodeConfig { listen, ..node_config(&config, keypair)? })?;
        let handle = node.handle();
        let mesh = node.events();
        let commands = engine.clone().map(|engine| engine as Arc<dyn Commands>);
        let chat = Manager::with_history(own.peer.clone(), Arc::new(handle.clone()), commands, history);
        let chat = Arc::new(chat);
        let data = Handler::new(Some(Arc::new(database)), engine.clone(), own.peer)
            .with_config(&config.data)
            .with_emails(Arc::new(handle.clone()));
        let site = SiteServer::new(dir.join(SITE_DIR), dir.join(&config.lua.script_dir))
            .with_private(config.private_files().iter().map(|file| dir.join(file)).collect());
        node.serve(Services {
            chat: Some(chat.clone()),
            data: Some(Arc::new(data)),
            site: Some(Arc::new(site)),
        });
        let early = events::EarlyEvents::new();
        let mut _background = dialing::keep_dialed(&handle, options.dial, &early);
        let news = early.clone();
        _background.spawn(async move { news.add_all(mesh).await });
        Ok(Self { node, chat, engine, early, _background, _lock })
    }

    /// The peer's id.
    pub fn id(&self) -> &PeerId {
        self.node.id()
    }

    /// Where the peer listens, each address with `/p2p/ID`. Waits a moment for the listeners.
    pub async fn addresses(&self) -> Vec<Multiaddr> {
        timeout(LISTEN_TIMEOUT, self.node.addresses()).await.unwrap_or_default()
    }

    /// The peer's chat.
    pub fn chat(&self) -> &Arc<Manager> {
        &self.chat
    }

    /// The peer's scripts; `None` when `lua.enabled` is off.
    pub fn engine(&self) -> Option<&Arc<Engine>> {
        self.engine.as_ref()
    }

    /// What happened to the scripts while the peer started.
    pub fn scripts_at_start(&self) -> &[ScriptEvent] {
        self.engine.as_ref().map_or(&[], |engine| engine.first_load())
    }

    /// The peers that are online, by id, as they announced themselves.
    pub fn online(&self) -> Vec<PresentPeer> {
        self.node.handle().online()
    }

    /// What happens in the peer from now on, and what happened in the mesh since it started.
    pub fn events(&self) -> PeerEvents {
        PeerEvents::new(self.engine.as_deref(), self.chat.subscribe(), self.early.subscribe())
    }

    /// Stops the peer: no new visitors, then the exchanges in progress, the commands, and the
    /// scripts. Takes some ten seconds at most; a script that goes on longer is left behind, and
    /// ends at its own deadline.
    pub async fn shutdown(self) {
        let Self { node, chat, engine, .. } = self;
        // First, so that nothing new reaches the rest.
        node.shutdown().await;
        chat.close().await;
        if let Some(engine) = engine
            && timeout(SCRIPTS_TIMEOUT, engine.close()).await.is_err()
        {
            tracing::warn!("some scripts did not end within {SCRIPTS_TIMEOUT:?} and were left behind");
        }
    }
}

/// What is opened from disk, blocking, before the network starts.
struct Parts {
    lock: FolderLock,
    dir: PathBuf,
    config: Config,
    keypair: Keypair,
    own: Caller,
    database: Database,
    history: History,
    engine: Option<Arc<Engine>>,
}

impl Parts {
    fn open(dir: PathBuf) -> Result<Self, PeerError> {
        let config = open_config(&dir)?;
        let lock = FolderLock::take(&dir)?;
        let (keypair, own) = identity(&dir, &config)?;
        let database = Database::open(&dir)?;
        let history = History::open(&dir)?;
        let engine = if config.lua.enabled {
            Some(Arc::new(Engine::new(config.lua.clone(), &dir, own.clone())?))
        } else {
            None
        };
        Ok(Self { lock, dir, config, keypair, own, database, history, engine })
    }
}

/// Reads the configuration of the peer folder `dir`.
///
/// # Errors
/// When `dir` has neither a `goop.json` nor a `site` folder, so that a mistyped path is not made
/// into a peer; or when the configuration can't be used.
pub fn open_config(dir: &Path) -> Result<Config, PeerError> {
    if !is_peer_folder(dir) {
        return Err(PeerError::NotAPeerFolder { dir: dir.to_owned() });
    }
    Ok(Config::load(dir)?)
}

/// Whether `dir` is the folder of a peer: whether it has a `goop.json` or a `site` folder.
pub fn is_peer_folder(dir: &Path) -> bool {
    dir.join(FILE_NAME).is_file() || dir.join(SITE_DIR).is_dir()
}

/// The identity of the peer in the folder `dir`, as its scripts see it. A folder without a key
/// gets one.
///
/// # Errors
/// When the key can't be read or made.
pub fn own_caller(dir: &Path, config: &Config) -> Result<Caller, PeerError> {
    identity(dir, config).map(|(_, own)| own)
}

fn identity(dir: &Path, config: &Config) -> Result<(Keypair, Caller), PeerError> {
    let keypair = load_or_create(&dir.join(&config.identity.key_file))?;
    let own = Caller { peer: own_id(&keypair)?, label: config.profile.label.clone() };
    Ok((keypair, own))
}

/// Every interface. IPv6 is tried first, because a machine without it must still start.
fn everywhere(port: u16) -> Vec<Multiaddr> {
    use std::net::{Ipv4Addr, Ipv6Addr};
    let tcp = |address: Multiaddr| address.with(Protocol::Tcp(port));
    let mut addresses = vec![tcp(Ipv4Addr::UNSPECIFIED.into())];
    if TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok() {
        addresses.push(tcp(Ipv6Addr::UNSPECIFIED.into()));
    }
    addresses
}

/// What `goop.json` says about the node.
fn node_config(config: &Config, keypair: Keypair) -> Result<NodeConfig, PeerError> {
    let (p2p, presence) = (&config.p2p, &config.presence);
    let relay = p2p.relay_address()?;
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(NodeConfig {
        label: config.profile.label.clone(),
        limits: ConnectionLimits {
            total: count(p2p.max_connections),
            per_address: count(p2p.max_connections_per_address),
        },
        presence: Some(PresenceOptions {
            topic: presence.topic.clone(),
            ttl: Duration::from_secs(presence.ttl_seconds),
            heartbeat: Duration::from_secs(presence.heartbeat_seconds),
            email: config.profile.email.clone(),
        }),
        mdns: p2p.mdns,
        relay,
        ..NodeConfig::new(keypair)
    })
}

impl DataService for Handler {
    fn respond<'a>(&'a self, caller: &'a Caller, origin: &'a str, line: &'a [u8]) -> RespondFuture<'a> {
        Box::pin(self.respond_from(caller, origin, line))
    }
}

/// Why a peer can't be started.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The folder is not one of a peer.
    #[error("{}: is no peer folder: it has neither {FILE_NAME} nor {SITE_DIR}/; \
             `goop2 new` makes one", .dir.display())]
    NotAPeerFolder {
        /// The folder.
        dir: PathBuf,
    },
    /// A peer of this folder runs already.
    #[error("{}: is in use by another program: its peer runs already", .dir.display())]
    Running {
        /// The folder.
        dir: PathBuf,
    },
    /// The lock on the folder can't be had.
    #[error("{}: can't be locked: {source}", .dir.display())]
    Lock {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The identity has no id.
    #[error("the identity key has no usable id: {0}")]
    Id(#[from] PeerIdError),
    /// The database or the chat history can't be opened.
    #[error(transparent)]
    Database(#[from] StoreError),
    /// The scripts can't be run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network can't be started.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The start was interrupted: the runtime is stopping, or a part has a bug.
    #[error("the peer's start was interrupted: {reason}")]
    Interrupted {
        /// What the runtime said.
        reason: String,
    },
}
