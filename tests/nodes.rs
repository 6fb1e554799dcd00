//! Real nodes for tests, and strangers that misbehave.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use goop2::chat::{Commands, DispatchFuture, Manager};
use goop2::p2p::{Node, NodeConfig, NodeEvent, NodeHandle, PresenceEvent, PresenceOptions, Services};
use goop2::script::{Caller, DirectSender};
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use tokio::sync::broadcast::Receiver;
use tokio::sync::watch;

pub(crate) const ANY_PORT: &str = "/ip4/127.0.0.1/tcp/0";

/// The longest a test waits. Reached only when something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the owners of a test's nodes are told. Of nodes on the test's own thread only.
pub(crate) struct OwnersLog {
    text: watch::Receiver<String>,
    _guard: tracing::subscriber::DefaultGuard,
}

struct LogWriter(Arc<watch::Sender<String>>);

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send_modify(|text| text.push_str(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl OwnersLog {
    pub(crate) fn start() -> Self {
        let (sender, text) = watch::channel(String::new());
        let sender = Arc::new(sender);
        let log = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .with_writer(move || LogWriter(sender.clone()));
        Self { text, _guard: tracing::subscriber::set_default(log.finish()) }
    }

    /// Waits until a line has `part`.
    pub(crate) async fn has(&self, part: &str) {
        let mut text = self.text.clone();
        let told = text.wait_for(|text| text.contains(part));
        let told = tokio::time::timeout(PATIENCE, told).await.is_ok();
        assert!(told, "{part} was not told: {}", *self.text.borrow());
    }

    /// How many lines have `part`.
    pub(crate) fn told(&self, part: &str) -> usize {
        self.text.borrow().lines().filter(|line| line.contains(part)).count()
    }
}

/// Replies to a command with the label of its caller.
struct WhoAmI;

impl Commands for WhoAmI {
    fn dispatch<'a>(
        &'a self,
        caller: &'a Caller,
        _: &'a str,
        sender: &'a dyn DirectSender,
    ) -> DispatchFuture<'a> {
        Box::pin(async move {
            let _ = sender.send_direct(&caller.peer, format!("you are {:?}", caller.label)).await;
        })
    }
}

/// A node that chats.
pub(crate) struct TestNode {
    pub(crate) node: Node,
    pub(crate) handle: NodeHandle,
    pub(crate) chat: Arc<Manager>,
    pub(crate) events: Receiver<NodeEvent>,
}

/// A node's configuration with a fresh identity that listens on this machine.
pub(crate) fn listening() -> NodeConfig {
    NodeConfig { listen: vec![ANY_PORT.parse().unwrap()], ..NodeConfig::new(Keypair::generate_ed25519()) }
}

/// As [`listening`], for a node that announces itself and is patient with silence.
pub(crate) fn present(label: &str) -> NodeConfig {
    let presence = PresenceOptions {
        ttl: 2 * PATIENCE,
        heartbeat: Duration::from_secs(1),
        ..PresenceOptions::default()
    };
    NodeConfig { label: label.into(), presence: Some(presence), ..listening() }
}

impl TestNode {
    pub(crate) fn start(config: NodeConfig) -> Self {
        let mut node = Node::start(config).unwrap();
        let (handle, events) = (node.handle(), node.events());
        let commands = Some(Arc::new(WhoAmI) as Arc<dyn Commands>);
        let chat = Arc::new(Manager::new(handle.id().clone(), Arc::new(handle.clone()), commands));
        node.serve(Services { chat: Some(chat.clone()), ..Services::default() });
        Self { node, handle, chat, events }
    }

    pub(crate) async fn address(&self) -> Multiaddr {
        self.node.addresses().await.remove(0)
    }

    /// The next event that `wanted` takes; others are passed over.
    pub(crate) async fn event(&mut self, wanted: impl Fn(&NodeEvent) -> bool) -> NodeEvent {
        let search = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("the event did not come")
    }

    /// Waits until a peer with this label is online.
    pub(crate) async fn sees_online(&mut self, label: &str) {
        self.event(|event| {
            matches!(event, NodeEvent::Presence(PresenceEvent::Online(present)) if present.label == label)
        })
        .await;
    }

    /// Waits until a peer with this label is offline.
    pub(crate) async fn sees_offline(&mut self, label: &str) {
        self.event(|event| {
            matches!(event, NodeEvent::Presence(PresenceEvent::Offline(present)) if present.label == label)
        })
        .await;
    }
}
