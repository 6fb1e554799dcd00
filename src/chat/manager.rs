//! Receives, keeps and sends chat messages, and hands commands to the scripts.
//!
//! A command runs in a task of its own, so that the stream it came on is answered at once; the
//! manager owns those tasks, bounds them, and ends them on [`Manager::close`].
//!
//! # Why two peers' scripts can't talk to each other for ever
//! A reply is an ordinary direct message, and the wire has no mark for it, so a script's reply
//! that starts with `!` is a command at the other end, whose reply may be a command again. Each
//! turn passes the engine's limit for the calling peer (ten a minute unless the owner chose
//! otherwise), and the reply of a refused turn ("Rate limited, …") does not start with `!`, nor
//! does that for an unknown command: so such an exchange ends within one limit's worth of turns,
//! and only a new message from outside starts another. A message that comes from this very peer
//! is never a command. Rejected: marking replies, which deployed peers would show to people.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::history::{History, HistoryPage, KeptMessage};
use super::message::{Message, MessageError, MessageKind};
use super::running::{Full, Running};
use super::transport::{Commands, Transport};
use crate::peer_id::PeerId;
use crate::script::{BUSY_REPLY, Caller, DirectSender, RateLimiter, SendError, SendFuture};
use crate::store::StoreError;

/// The most commands in progress at a time. A command waits for its script and for its reply to
/// be taken, both bounded in time; the engine bounds what scripts cost.
pub const MAX_DISPATCHES: usize = 128;

/// The most commands in progress for one peer: above the default rate limit, so that a burst is
/// answered, and far below [`MAX_DISPATCHES`], so that a peer which never takes its replies does
/// not keep others waiting. Who sends more is answered that the peer is busy.
pub const MAX_DISPATCHES_PER_PEER: usize = 16;

/// The most messages taken from one peer in a minute: two a second, without end. Each may be
/// 1 MiB, and is written to the owner's disk.
pub const MAX_MESSAGES_PER_MINUTE: u32 = 120;

/// The most messages taken from all peers in a minute: identities are free. So high that a few of
/// them do not silence everyone else.
const MAX_MESSAGES_PER_MINUTE_OF_ALL: u32 = 6000;

/// How many messages a slow listener may be behind before it misses some (it can read them in
/// the history). At 1 MiB a message this bounds what a stalled listener pins.
const LISTENER_BACKLOG: usize = 32;

/// Why a received message was dropped.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// It is not an acceptable message of that peer.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// It is a direct message to somebody else.
    #[error("the message is for {found}, not for this peer")]
    WrongRecipient {
        /// The recipient it names.
        found: String,
    },
    /// The peer sends too many messages.
    #[error(
        "the message of {peer} was dropped: {limit} messages a minute are taken from one peer, and fewer when many write"
    )]
    TooOften {
        /// Whose message.
        peer: PeerId,
        /// The limit for one peer.
        limit: u32,
    },
    /// The message could not be handed on: the peer is stopping, or has a bug.
    #[error("the message was lost: {reason}")]
    Interrupted {
        /// What the runtime said.
        reason: String,
    },
    /// Too many commands are in progress; the message was kept, and its sender is told.
    #[error("the command of {peer} was not run: {running} commands are in progress, the limit is {limit}")]
    Busy {
        /// Whose command.
        peer: PeerId,
        /// Commands in progress, of this peer or of all.
        running: usize,
        /// The limit that was met.
        limit: usize,
    },
}

/// The chat of one peer. Cloning gives another handle to the same chat.
#[derive(Clone)]
pub struct Manager {
    shared: Arc<Shared>,
}

struct Shared {
    own: PeerId,
    transport: Arc<dyn Transport>,
    commands: Option<Arc<dyn Commands>>,
    /// Also held while listeners are told, so that they hear messages in the order of the history.
    history: Mutex<History>,
    arrivals: RateLimiter,
    /// `None` once the manager is closed.
    tasks: Mutex<Option<JoinSet<()>>>,
    running: Running,
    listeners: broadcast::Sender<Arc<Message>>,
    id_prefix: u64,
    next_id: AtomicU64,
}

impl Manager {
    /// A chat for the peer `own` that sends through `transport` and forgets at its end. Without
    /// `commands`, a text that starts with `!` is a message like any other.
    pub fn new(own: PeerId, transport: Arc<dyn Transport>, commands: Option<Arc<dyn Commands>>) -> Self {
        Self::with_history(own, transport, commands, History::in_memory())
    }

    /// As [`Manager::new`], keeping messages in `history`.
    pub fn with_history(
        own: PeerId,
        transport: Arc<dyn Transport>,
        commands: Option<Arc<dyn Commands>>,
        history: History,
    ) -> Self {
        let shared = Shared {
            own,
            transport,
            commands,
            history: Mutex::new(history),
            arrivals: RateLimiter::new(MAX_MESSAGES_PER_MINUTE, MAX_MESSAGES_PER_MINUTE_OF_ALL),
            tasks: Mutex::new(Some(JoinSet::new())),
            running: Running::default(),
            listeners: broadcast::Sender::new(LISTENER_BACKLOG),
            // Ids must not repeat after a restart, and need not be secret.
            id_prefix: RandomState::new().hash_one(SystemTime::now()),
            next_id: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes a message that came from the authenticated peer `remote`: checks it, drops a repeat,
    /// keeps it, tells the listeners, and starts the command if it is one. Waits for the disk and
    /// for nothing else; needs a tokio runtime.
    ///
    /// # Errors
    /// When the message is refused, or is a command and too many are in progress.
    pub async fn receive(&self, remote: &PeerId, bytes: &[u8]) -> Result<(), ChatError> {
        let message = Arc::new(Message::decode(bytes, remote, now_ms())?);
        let direct = message.kind == MessageKind::Direct;
        if direct && !message.to.is_empty() && message.to != self.shared.own.as_str() {
            return Err(ChatError::WrongRecipient { found: message.to.chars().take(128).collect() });
        }
        if self.shared.arrivals.admit(remote, None, Instant::now()).is_err() {
            return Err(ChatError::TooOften { peer: remote.clone(), limit: MAX_MESSAGES_PER_MINUTE });
        }
        let new = self.keep(message.clone()).await;
        if !new.map_err(|reason| ChatError::Interrupted { reason })? {
            return Ok(());
        }
        if direct && message.content.trim_start().starts_with('!') && *remote != self.shared.own {
            self.start_command(remote, message)?;
        }
        Ok(())
    }

    /// Writes a message to the history and tells the listeners; false, and neither, for a repeat.
    async fn keep(&self, message: Arc<Message>) -> Result<bool, String> {
        let shared = self.shared.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let mut history = shared.history.lock();
            let new = history.keep(&shared.own, &message);
            if new {
                // Nobody listening is no error.
                let _ = shared.listeners.send(message);
            }
            new
        });
        kept.await.map_err(|error| error.to_string())
    }

    fn start_command(&self, remote: &PeerId, message: Arc<Message>) -> Result<(), ChatError> {
        let Some(commands) = self.shared.commands.clone() else { return Ok(()) };
        let mut tasks = self.shared.tasks.lock();
        let Some(tasks) = tasks.as_mut() else { return Ok(()) };
        while tasks.try_join_next().is_some() {}
        let manager = self.clone();
        let command = match self.shared.running.command(remote) {
            Ok(command) => command,
            Err(Full { running, limit }) => {
                if let Some(refusal) = self.shared.running.refusal(remote) {
                    tasks.spawn(async move {
                        // Who can't be told has lost no more than the answer.
                        let _ = manager.send_direct(&refusal.peer, BUSY_REPLY.to_owned()).await;
                    });
                }
                return Err(ChatError::Busy { peer: remote.clone(), running, limit });
            }
        };
        tasks.spawn(async move {
            let label = manager.shared.transport.label_of(&command.peer);
            let caller = Caller { peer: command.peer.clone(), label };
            commands.dispatch(&caller, message.content.trim(), &manager).await;
        });
        Ok(())
    }

    /// Sends `content` to the peer `to`, and keeps the message once it is delivered.
    ///
    /// # Errors
    /// When the message is too long or the transport can't deliver it; it is not kept then.
    pub async fn send_direct(&self, to: &PeerId, content: String) -> Result<Arc<Message>, SendError> {
        let message = self.message(MessageKind::Direct, to.as_str(), content);
        let bytes =
            message.encode().map_err(|error| SendError { to: to.clone(), reason: error.to_string() })?;
        self.transport().deliver(to, bytes).await?;
        Ok(self.keep_sent(message).await)
    }

    pub(super) fn transport(&self) -> &dyn Transport {
        self.shared.transport.as_ref()
    }

    /// A new message of this peer.
    pub(super) fn message(&self, kind: MessageKind, to: &str, content: String) -> Message {
        let number = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        Message {
            id: format!("{:016x}-{number}", self.shared.id_prefix),
            from: self.shared.own.clone(),
            to: to.to_owned(),
            kind,
            content,
            timestamp: now_ms(),
            site_id: None,
        }
    }

    /// Keeps what was sent. That it is sent does not depend on it.
    pub(super) async fn keep_sent(&self, message: Message) -> Arc<Message> {
        let message = Arc::new(message);
        if let Err(reason) = self.keep(message.clone()).await {
            tracing::warn!(%reason, "a sent message was not kept");
        }
        message
    }

    /// The messages from now on, received and sent. A listener that falls behind misses the
    /// oldest, and is told so; [`Manager::history`] has them.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Message>> {
        self.shared.listeners.subscribe()
    }

    /// A page of the kept messages, oldest first: received and sent, at most
    /// [`MAX_HISTORY_MESSAGES`](super::MAX_HISTORY_MESSAGES) in all.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn history(&self, page: HistoryPage) -> Result<Vec<KeptMessage>, StoreError> {
        let shared = self.shared.clone();
        let read = tokio::task::spawn_blocking(move || shared.history.lock().page(&page));
        read.await.unwrap_or_else(|error| Err(StoreError::Sqlite { message: error.to_string() }))
    }

    /// Ends every command in progress; commands that arrive later are not run.
    pub async fn close(&self) {
        let tasks = self.shared.tasks.lock().take();
        if let Some(mut tasks) = tasks {
            tasks.shutdown().await;
        }
    }
}

impl DirectSender for Manager {
    fn send_direct<'a>(&'a self, to: &'a PeerId, content: String) -> SendFuture<'a> {
        Box::pin(async move { Manager::send_direct(self, to, content).await.map(|_| ()) })
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
