//! The last messages, and which ids were seen: both bounded, because strangers fill them.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::message::Message;
use crate::peer_id::PeerId;

/// The most messages kept. The chat is not an archive: a peer that restarts has none.
pub const MAX_HISTORY_MESSAGES: usize = 1000;

/// The most bytes that the kept messages may hold together; eight of the largest.
pub const MAX_HISTORY_BYTES: usize = 8 * 1024 * 1024;

/// How many ids are remembered to drop repeats. A repeat comes seconds after the first, so this
/// is generous; at 128 bytes an id it is under 2 MiB.
const MAX_SEEN: usize = 4096;

/// The last messages, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    messages: VecDeque<Arc<Message>>,
    bytes: usize,
}

impl History {
    pub(super) fn push(&mut self, message: Arc<Message>) {
        self.bytes += message.cost();
        self.messages.push_back(message);
        while self.messages.len() > MAX_HISTORY_MESSAGES || self.bytes > MAX_HISTORY_BYTES {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.cost());
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Message>> {
        self.messages.iter().cloned().collect()
    }
}

/// The ids seen last. An id counts per sender: otherwise a peer could have another's message
/// dropped by sending its id first.
#[derive(Debug, Default)]
pub(super) struct Seen {
    known: HashSet<(PeerId, String)>,
    order: VecDeque<(PeerId, String)>,
}

impl Seen {
    /// Remembers the id; false when it was known already.
    pub(super) fn insert(&mut self, from: &PeerId, id: &str) -> bool {
        let key = (from.clone(), id.to_owned());
        if !self.known.insert(key.clone()) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > MAX_SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::MessageKind;

    fn message(id: usize, content: String) -> Arc<Message> {
        let from = PeerId::parse("A").unwrap();
        let kind = MessageKind::Broadcast;
        Arc::new(Message {
            id: id.to_string(),
            from,
            to: String::new(),
            kind,
            content,
            timestamp: 1,
            site_id: None,
        })
    }

    #[test]
    fn the_oldest_go_first_by_count_and_by_bytes() {
        let mut history = History::default();
        for id in 0..MAX_HISTORY_MESSAGES + 5 {
            history.push(message(id, String::new()));
        }
        assert_eq!(history.all().len(), MAX_HISTORY_MESSAGES);
        assert_eq!(history.all()[0].id, "5");
        for id in 0..20 {
            history.push(message(id, "x".repeat(1024 * 1024)));
        }
        let kept: usize = history.all().iter().map(|message| message.content.len()).sum();
        assert!(kept <= MAX_HISTORY_BYTES, "{kept}");
        assert_eq!(history.all().last().unwrap().id, "19");
    }

    #[test]
    fn seen_ids_are_per_sender_and_bounded() {
        let (alice, bob) = (PeerId::parse("A").unwrap(), PeerId::parse("B").unwrap());
        let mut seen = Seen::default();
        assert!(seen.insert(&alice, "1"));
        assert!(!seen.insert(&alice, "1"));
        assert!(seen.insert(&bob, "1"));
        for id in 0..MAX_SEEN * 2 {
            seen.insert(&bob, &format!("b{id}"));
        }
        assert_eq!((seen.known.len(), seen.order.len()), (MAX_SEEN, MAX_SEEN));
    }
}
