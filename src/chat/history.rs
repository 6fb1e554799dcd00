//! The last messages, kept on disk and bounded, because strangers fill them.
//!
//! Each conversation has its share: what a peer sends, and what is sent to that peer, counts as
//! that peer's, and who fills the history pushes out their own messages first (how, is the log's to
//! say). A message whose sender and id are in the history is a repeat, after a restart too.
//!
//! A disk that fails does not stop the chat: messages are then shown and answered as they come, and
//! the owner is told that they are not kept.

use std::path::Path;

use super::message::{Message, MessageKind};
use crate::peer_id::PeerId;
use crate::store::{LogEntry, LogLimits, LogRange, MessageLog, StoreError};

/// The history's file inside a peer folder; beside the key, because both are the owner's alone.
pub const HISTORY_FILE: &str = crate::config::HISTORY_FILE;

/// The most messages kept, sent and received, of all peers together.
pub const MAX_HISTORY_MESSAGES: u64 = 10_000;

/// The most bytes that the kept messages may take together.
pub const MAX_HISTORY_BYTES: u64 = 32 * 1024 * 1024;

/// The most messages read at a time.
pub const MAX_HISTORY_PAGE: usize = 1000;

/// The limits of a peer's history.
const LIMITS: LogLimits = LogLimits { max_entries: MAX_HISTORY_MESSAGES, max_bytes: MAX_HISTORY_BYTES };

/// A message from the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMessage {
    /// Its place: later messages have larger numbers.
    pub number: i64,
    /// The message.
    pub message: Message,
}

/// Which part of the history is wanted; by default the last [`MAX_HISTORY_PAGE`] messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// Only the conversation with this peer, what it sent to others included; this peer's own id
    /// for its broadcasts.
    pub with: Option<PeerId>,
    /// Only messages before this number: the first of the page that was read last.
    pub before: Option<i64>,
    /// The most messages, the newest of them; at most [`MAX_HISTORY_PAGE`] in any case.
    pub limit: Option<usize>,
}

/// The history of one peer. Its methods block.
#[derive(Debug)]
pub struct History {
    /// `None` when not even memory was to be had.
    log: Option<MessageLog>,
    /// Whether the last message could not be kept, so that the owner is told once.
    failing: bool,
}

impl History {
    /// Opens the history of the peer folder `dir`, or begins one. A damaged file is set aside.
    ///
    /// # Errors
    /// When the file can't be opened or made.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let log = MessageLog::open(&dir.join(HISTORY_FILE), LIMITS)?;
        Ok(Self { log: Some(log), failing: false })
    }

    /// A history that ends with the process: for who only visits.
    pub fn in_memory() -> Self {
        let log = MessageLog::in_memory(LIMITS)
            .inspect_err(|error| tracing::warn!(%error, "chat messages are not kept"));
        Self { log: log.ok(), failing: false }
    }

    /// Keeps a message of the peer `own`, or to it. False when it was kept before.
    pub(super) fn keep(&mut self, own: &PeerId, message: &Message) -> bool {
        match self.append(own, message) {
            Ok(new) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("chat messages are kept again");
                }
                new
            }
            Err(reason) => {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(%reason, "chat messages can't be kept; they are shown and answered only");
                }
                true
            }
        }
    }

    fn append(&mut self, own: &PeerId, message: &Message) -> Result<bool, String> {
        let Some(log) = &mut self.log else { return Ok(true) };
        let share = match message.kind {
            MessageKind::Direct if message.from == *own => message.to.as_str(),
            _ => message.from.as_str(),
        };
        let body = message.encode().map_err(|error| error.to_string())?;
        let entry = LogEntry { share, sender: message.from.as_str(), id: &message.id, body: &body };
        log.append(&entry).map_err(|error| error.to_string())
    }

    /// Reads a page, oldest first.
    pub(super) fn page(&self, page: &HistoryPage) -> Result<Vec<KeptMessage>, StoreError> {
        let Some(log) = &self.log else { return Ok(Vec::new()) };
        let range = LogRange {
            share: page.with.as_ref().map(PeerId::as_str),
            before: page.before,
            limit: page.limit.unwrap_or(MAX_HISTORY_PAGE).min(MAX_HISTORY_PAGE),
        };
        let mut kept = Vec::new();
        for entry in log.read_range(range)? {
            match serde_json::from_slice(&entry.body) {
                Ok(message) => kept.push(KeptMessage { number: entry.number, message }),
                // Somebody else wrote it; one such must not hide all others.
                Err(error) => tracing::warn!(number = entry.number, %error, "a kept message can't be read"),
            }
        }
        Ok(kept)
    }
}
