//! What other peers last said of themselves.
//!
//! An entry stays for a while after its peer went offline: the label belongs to whoever calls, and
//! an old message that is sent again must not bring a peer back. The table is bounded in all and
//! per neighbour that brought an entry, because a neighbour can sign for as many identities as it
//! likes. A peer that is its own neighbour always has a place.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::announcement::{Announcement, Kind};
use crate::peer_id::PeerId;

/// The most peers that are known of, present or not: some 600 bytes each.
pub const MAX_PRESENCE_ENTRIES: usize = 2048;

/// The most of them that came through one neighbour.
const MAX_PER_NEIGHBOUR: usize = 256;

/// How long a peer is remembered after it was last heard.
const REMEMBERED: Duration = Duration::from_secs(600);

/// How far back a clock must be for others to bring word of it: messages on their way through the
/// mesh are younger than that.
const SET_BACK: Duration = Duration::from_secs(600);

/// How much faster than ours a clock that was set back may go on.
const CLOCK_SLACK: Duration = Duration::from_secs(60);

/// A change in who is online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceEvent {
    /// A peer is online that was not.
    Online(PresentPeer),
    /// A peer that is online changed its label.
    Update(PresentPeer),
    /// A peer said that it goes, or was silent for too long.
    Offline(PresentPeer),
}

/// A peer as it announced itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentPeer {
    /// The peer, which signed the announcement.
    pub peer: PeerId,
    /// Its label: one line, at most [`MAX_PRESENCE_LABEL_BYTES`](super::MAX_PRESENCE_LABEL_BYTES); may be empty.
    pub label: String,
}

/// The table as the node and its handles share it.
pub(in crate::p2p) type SharedPresence = Arc<Mutex<PresenceTable>>;

/// What an announcement did to the table.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::p2p) enum Heard {
    /// It was taken, with what it changed.
    Taken(Option<PresenceEvent>),
    /// It is not newer than what is known.
    Old,
    /// There is no place for another peer.
    Full,
}

/// What is known of other peers.
#[derive(Debug)]
pub(in crate::p2p) struct PresenceTable {
    ttl: Duration,
    entries: HashMap<PeerId, Entry>,
}

#[derive(Debug)]
struct Entry {
    online: bool,
    /// Its last message said that it goes.
    said_goodbye: bool,
    label: String,
    email: String,
    /// By the peer's clock: the last message, and the highest ever; they differ once the clock was
    /// set back.
    ts: i64,
    highest_ts: i64,
    /// When the last message came that said that the peer is here, and when any.
    heard: Instant,
    news: Instant,
    /// Who brought the first announcement; `None` for the peer itself.
    neighbour: Option<PeerId>,
}

impl Entry {
    /// Whether the message is one that the peer sent after those known, and not an old one that is
    /// sent again. Mostly its time says so, but a clock without a battery starts again in the past,
    /// and its peer is not to be absent until the entry is forgotten. So an older message is taken
    /// when nothing else was heard for as long as makes a peer absent, and it comes from the peer
    /// itself; or, of a peer that fell silent without a goodbye, when it is so old that it is not
    /// merely late. An older goodbye is never taken from others: anyone may have kept one.
    fn is_news(&self, said: &Announcement, from_itself: bool, now: Instant, ttl: Duration) -> bool {
        if said.ts == 0 || said.ts > self.highest_ts {
            return true;
        }
        let silent = now.duration_since(self.news);
        let here = said.kind != Kind::Offline;
        let (ahead, behind) = (said.ts.saturating_sub(self.ts), self.ts.saturating_sub(said.ts));
        if ahead > 0 {
            // Within what it was before it was set back, the clock goes on no faster than time.
            return (here || from_itself) && ahead <= millis(silent + CLOCK_SLACK);
        }
        here && silent >= ttl && (from_itself || !self.said_goodbye && behind > millis(SET_BACK))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl PresenceTable {
    /// An empty table; a peer silent for `ttl` is offline.
    pub(in crate::p2p) fn new(ttl: Duration) -> Self {
        Self { ttl, entries: HashMap::new() }
    }

    /// Takes an announcement that `peer` signed and `neighbour` brought.
    pub(in crate::p2p) fn hear(
        &mut self,
        peer: &PeerId,
        neighbour: &PeerId,
        said: Announcement,
        now: Instant,
    ) -> Heard {
        let neighbour = if neighbour == peer { None } else { Some(neighbour.clone()) };
        let online = said.kind != Kind::Offline;
        let Some(known) = self.entries.get_mut(peer) else {
            if !online {
                return Heard::Old;
            }
            if !self.make_room(neighbour.as_ref()) {
                return Heard::Full;
            }
            let Announcement { content: label, email, ts, .. } = said;
            let label_kept = label.clone();
            let (heard, news, highest_ts) = (now, now, ts);
            let entry = Entry {
                online,
                said_goodbye: false,
                label: label_kept,
                email,
                ts,
                highest_ts,
                heard,
                news,
                neighbour,
            };
            self.entries.insert(peer.clone(), entry);
            return Heard::Taken(Some(PresenceEvent::Online(PresentPeer { peer: peer.clone(), label })));
        };
        if !known.is_news(&said, neighbour.is_none(), now, self.ttl) {
            return Heard::Old;
        }
        let was_online = std::mem::replace(&mut known.online, online);
        known.said_goodbye = !online;
        known.ts = said.ts;
        known.highest_ts = known.highest_ts.max(said.ts);
        known.news = now;
        if neighbour.is_none() {
            known.neighbour = None;
        }
        if !online {
            let gone = PresentPeer { peer: peer.clone(), label: known.label.clone() };
            return Heard::Taken(was_online.then_some(PresenceEvent::Offline(gone)));
        }
        known.heard = now;
        known.email = said.email;
        let renamed = known.label != said.content;
        known.label.clone_from(&said.content);
        let present = PresentPeer { peer: peer.clone(), label: said.content };
        Heard::Taken(match (was_online, renamed) {
            (false, _) => Some(PresenceEvent::Online(present)),
            (true, true) => Some(PresenceEvent::Update(present)),
            (true, false) => None,
        })
    }

    /// The peers that went offline by being silent; forgets those gone for long.
    pub(in crate::p2p) fn expire(&mut self, now: Instant) -> Vec<PresenceEvent> {
        let mut gone = Vec::new();
        for (peer, entry) in &mut self.entries {
            if entry.online && now.duration_since(entry.heard) >= self.ttl {
                entry.online = false;
                let label = entry.label.clone();
                gone.push(PresenceEvent::Offline(PresentPeer { peer: peer.clone(), label }));
            }
        }
        let kept = self.ttl.max(REMEMBERED);
        self.entries.retain(|_, entry| entry.online || now.duration_since(entry.heard) < kept);
        gone
    }

    /// The label in the last announcement of `peer`, or an empty text.
    pub(in crate::p2p) fn label_of(&self, peer: &PeerId) -> String {
        self.entries.get(peer).map(|entry| entry.label.clone()).unwrap_or_default()
    }

    /// The e-mail in the last announcement of `peer`, if it has one.
    pub(in crate::p2p) fn email_of(&self, peer: &PeerId) -> Option<String> {
        self.entries.get(peer).map(|entry| entry.email.clone()).filter(|email| !email.is_empty())
    }

    /// The peers that are online, by id.
    pub(in crate::p2p) fn online(&self) -> Vec<PresentPeer> {
        let online = self.entries.iter().filter(|(_, entry)| entry.online);
        let mut online: Vec<_> = online
            .map(|(peer, entry)| PresentPeer { peer: peer.clone(), label: entry.label.clone() })
            .collect();
        online.sort_by(|a, b| a.peer.cmp(&b.peer));
        online
    }

    /// Whether there is a place for one more peer that `neighbour` brought, if need be by
    /// forgetting one: of those that are offline first, then of those that others brought.
    fn make_room(&mut self, neighbour: Option<&PeerId>) -> bool {
        if let Some(neighbour) = neighbour {
            let theirs = |entry: &Entry| entry.neighbour.as_ref() == Some(neighbour);
            if self.entries.values().filter(|entry| theirs(entry)).count() >= MAX_PER_NEIGHBOUR
                && !self.forget(|entry| theirs(entry) && !entry.online)
            {
                return false;
            }
        }
        self.entries.len() < MAX_PRESENCE_ENTRIES
            || self.forget(|entry| !entry.online)
            || neighbour.is_none() && self.forget(|entry| entry.neighbour.is_some())
            || neighbour.is_none() && self.forget(|_| true)
    }

    /// Forgets the one heard longest ago among those that `may_go`.
    fn forget(&mut self, may_go: impl Fn(&Entry) -> bool) -> bool {
        let oldest = self.entries.iter().filter(|(_, entry)| may_go(entry)).min_by_key(|(_, e)| e.heard);
        let Some(peer) = oldest.map(|(peer, _)| peer.clone()) else { return false };
        self.entries.remove(&peer).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(20);

    fn peer(number: usize) -> PeerId {
        PeerId::parse(&format!("P{}", number + 1).replace('0', "z")).unwrap()
    }

    fn says(kind: Kind, label: &str, ts: i64) -> Announcement {
        let (peer_id, email) = (String::new(), "a@b".to_owned());
        Announcement { kind, peer_id, content: label.into(), email, addrs: Vec::new(), ts }
    }

    fn present(number: usize, label: &str) -> PresentPeer {
        PresentPeer { peer: peer(number), label: label.into() }
    }

    #[test]
    fn a_peer_comes_changes_and_goes() {
        let (mut table, now) = (PresenceTable::new(TTL), Instant::now());
        let hear = |table: &mut PresenceTable, said| table.hear(&peer(1), &peer(1), said, now);
        let online = hear(&mut table, says(Kind::Online, "Ann", 1));
        assert_eq!(online, Heard::Taken(Some(PresenceEvent::Online(present(1, "Ann")))));
        assert_eq!(hear(&mut table, says(Kind::Online, "Ann", 2)), Heard::Taken(None));
        let renamed = hear(&mut table, says(Kind::Update, "Bea", 3));
        assert_eq!(renamed, Heard::Taken(Some(PresenceEvent::Update(present(1, "Bea")))));
        assert_eq!(table.online(), [present(1, "Bea")]);
        let gone = hear(&mut table, says(Kind::Offline, "", 4));
        assert_eq!(gone, Heard::Taken(Some(PresenceEvent::Offline(present(1, "Bea")))));
        assert!(table.online().is_empty());
        assert_eq!(table.label_of(&peer(1)), "Bea", "a caller's last label stays");
        assert_eq!(table.email_of(&peer(1)).as_deref(), Some("a@b"));
        assert_eq!(hear(&mut table, says(Kind::Online, "Ann", 2)), Heard::Old, "sent again by somebody");
    }

    #[test]
    fn a_silent_peer_is_offline_after_its_time_and_forgotten_later() {
        let (mut table, start) = (PresenceTable::new(TTL), Instant::now());
        table.hear(&peer(1), &peer(1), says(Kind::Online, "Ann", 1), start);
        assert!(table.expire(start + TTL - Duration::from_millis(1)).is_empty());
        assert_eq!(table.expire(start + TTL), [PresenceEvent::Offline(present(1, "Ann"))]);
        assert!(table.expire(start + TTL).is_empty());
        table.expire(start + REMEMBERED);
        assert!(table.entries.is_empty());
    }

    /// A machine without a clock of its own that restarted was absent for ten minutes.
    #[test]
    fn a_peer_whose_clock_was_set_back_is_heard_again() {
        let seconds = Duration::from_secs;
        for neighbour in [1, 2] {
            let (mut table, start) = (PresenceTable::new(TTL), Instant::now());
            let hear = |table: &mut PresenceTable, kind, ts, at| {
                table.hear(&peer(1), &peer(neighbour), says(kind, "Ann", ts), at)
            };
            hear(&mut table, Kind::Online, 9_000_000, start);
            assert_eq!(
                hear(&mut table, Kind::Online, 1000, start + seconds(5)),
                Heard::Old,
                "it may be late"
            );
            table.expire(start + TTL);
            assert_eq!(hear(&mut table, Kind::Offline, 1000, start + TTL), Heard::Old);
            let back = hear(&mut table, Kind::Online, 1000, start + TTL);
            assert_eq!(back, Heard::Taken(Some(PresenceEvent::Online(present(1, "Ann")))));
            assert_eq!(hear(&mut table, Kind::Online, 6000, start + seconds(25)), Heard::Taken(None));
            // What was sent before the clock was set back, and is sent again.
            assert_eq!(hear(&mut table, Kind::Online, 8_000_000, start + seconds(26)), Heard::Old);
            assert_eq!(hear(&mut table, Kind::Offline, 9_000_000, start + seconds(26)), Heard::Old);
            // The clock is right again.
            assert_eq!(hear(&mut table, Kind::Online, 9_500_000, start + seconds(30)), Heard::Taken(None));
        }
    }

    #[test]
    fn a_peer_that_went_is_not_brought_back_by_what_it_said_before() {
        let (mut table, start) = (PresenceTable::new(TTL), Instant::now());
        table.hear(&peer(1), &peer(2), says(Kind::Online, "Ann", 9_000_000), start);
        table.hear(&peer(1), &peer(2), says(Kind::Offline, "", 9_000_001), start);
        let later = start + 3 * TTL;
        let again = table.hear(&peer(1), &peer(2), says(Kind::Online, "Ann", 1000), later);
        assert_eq!(again, Heard::Old, "by others");
        let again = table.hear(&peer(1), &peer(1), says(Kind::Online, "Ann", 1000), later);
        assert_eq!(again, Heard::Taken(Some(PresenceEvent::Online(present(1, "Ann")))), "by itself");
        let goodbye = table.hear(&peer(1), &peer(2), says(Kind::Offline, "", 1500), later);
        assert_eq!(goodbye, Heard::Old);
        let goodbye = table.hear(&peer(1), &peer(1), says(Kind::Offline, "", 1500), later);
        assert_eq!(goodbye, Heard::Taken(Some(PresenceEvent::Offline(present(1, "Ann")))));
    }

    #[test]
    fn a_neighbour_fills_its_share_only() {
        let (mut table, now) = (PresenceTable::new(TTL), Instant::now());
        let heard = |table: &mut PresenceTable, number: usize, neighbour: usize| {
            table.hear(&peer(number), &peer(neighbour), says(Kind::Online, "x", 1), now)
        };
        let full = (0..10_000).filter(|n| heard(&mut table, *n, 100_000) == Heard::Full).count();
        assert_eq!(full, 10_000 - MAX_PER_NEIGHBOUR);
        assert_ne!(heard(&mut table, 20_000, 100_001), Heard::Full);
        for neighbour in 0..20 {
            for n in 0..MAX_PER_NEIGHBOUR {
                heard(&mut table, 30_000 + neighbour * 1000 + n, 200_000 + neighbour);
            }
        }
        assert_eq!(table.entries.len(), MAX_PRESENCE_ENTRIES);
        assert_eq!(heard(&mut table, 50_001, 300_000), Heard::Full);
        // Whoever is connected and speaks for itself has a place.
        assert_ne!(heard(&mut table, 50_002, 50_002), Heard::Full);
        assert_eq!(table.entries.len(), MAX_PRESENCE_ENTRIES);
    }
}
