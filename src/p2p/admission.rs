//! Which established connections a node keeps.
//!
//! Identities are free, so connections are counted per address as well as per peer. At a limit the
//! newcomer is not refused as long as somebody holds a connection without using it: the one unused
//! for longest goes, of the same peer, of the same address, or of the address that has most. So
//! those who fill the limits compete with each other, and others get in.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libp2p::PeerId as Libp2pId;
use libp2p::swarm::ConnectionId;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::limits::{ConnectionLimits, MAX_OUTBOUND, MAX_PER_PEER};
use super::notices::Notices;
use super::origin::Origin;

/// How busy a connection is. Shared with whatever uses it.
#[derive(Debug)]
pub(super) struct Activity {
    streams: AtomicUsize,
    last: Mutex<Instant>,
}

impl Activity {
    fn new() -> Self {
        Self { streams: AtomicUsize::new(0), last: Mutex::new(Instant::now()) }
    }

    /// Counts a stream until the result is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.streams.fetch_add(1, Ordering::Relaxed);
        *self.last.lock() = Instant::now();
        Busy(self.clone())
    }
}

/// A stream in use.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.last.lock() = Instant::now();
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a connection is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAdmitted {
    #[error("{origin} has {limit} connections, all in use; that is the limit for one address")]
    Address { origin: Origin, limit: usize },
    #[error("there are {limit} connections, all in use; that is the limit")]
    Total { limit: usize },
    #[error("this peer has made {MAX_OUTBOUND} connections; that is the limit")]
    Outbound,
}

/// The connections of a node.
#[derive(Debug)]
pub(super) struct Admission {
    limits: ConnectionLimits,
    notices: Notices,
    kept: HashMap<ConnectionId, Kept>,
    evicted: VecDeque<(Libp2pId, ConnectionId)>,
}

#[derive(Debug)]
struct Kept {
    peer: Libp2pId,
    origin: Origin,
    inbound: bool,
    activity: Arc<Activity>,
}

impl Admission {
    pub(super) fn new(limits: ConnectionLimits, notices: Notices) -> Self {
        Self { limits, notices, kept: HashMap::new(), evicted: VecDeque::new() }
    }

    /// Takes a connection that `peer` made from `origin`.
    pub(super) fn inbound(
        &mut self,
        connection: ConnectionId,
        peer: Libp2pId,
        origin: Origin,
    ) -> Result<Arc<Activity>, NotAdmitted> {
        let ConnectionLimits { total, per_address } = self.limits;
        if self.count(|kept| kept.peer == peer) >= MAX_PER_PEER {
            // Whatever they are used for: a peer that comes again may have lost them all.
            self.evict(|kept| kept.inbound && kept.peer == peer, true);
        }
        if self.count(|kept| kept.inbound && kept.origin == origin) >= per_address
            && !self.evict(|kept| kept.inbound && kept.origin == origin, false)
        {
            let refused = NotAdmitted::Address { origin, limit: per_address };
            self.notices.tell("a connection was refused", format_args!("{refused}"));
            return Err(refused);
        }
        if self.count(|kept| kept.inbound) >= total {
            self.make_room(origin, total)?;
        }
        Ok(self.keep(connection, Kept { peer, origin, inbound: true, activity: Activity::new().into() }))
    }

    /// Takes a connection that this peer made.
    pub(super) fn outbound(
        &mut self,
        connection: ConnectionId,
        peer: Libp2pId,
        origin: Origin,
    ) -> Result<Arc<Activity>, NotAdmitted> {
        if self.count(|kept| !kept.inbound) >= MAX_OUTBOUND && !self.evict(|kept| !kept.inbound, false) {
            let refused = NotAdmitted::Outbound;
            self.notices.tell("a limit on dials was met", format_args!("{refused}"));
            return Err(refused);
        }
        Ok(self.keep(connection, Kept { peer, origin, inbound: false, activity: Activity::new().into() }))
    }

    /// Forgets a connection that is closed or came to nothing.
    pub(super) fn closed(&mut self, connection: ConnectionId) {
        self.kept.remove(&connection);
    }

    /// A connection that has to be closed, if there is one.
    pub(super) fn next_evicted(&mut self) -> Option<(Libp2pId, ConnectionId)> {
        self.evicted.pop_front()
    }

    /// Closes a connection of the address that has most; one in use only if that address has more
    /// than its share.
    fn make_room(&mut self, newcomer: Origin, limit: usize) -> Result<(), NotAdmitted> {
        let mut counts = HashMap::<Origin, usize>::new();
        for kept in self.kept.values().filter(|kept| kept.inbound) {
            *counts.entry(kept.origin).or_insert(0) += 1;
        }
        let own = counts.get(&newcomer).copied().unwrap_or(0);
        let most = counts.values().copied().max().unwrap_or(0);
        let largest = |kept: &Kept| kept.inbound && counts.get(&kept.origin) == Some(&most);
        if self.evict(largest, most > own + 1) || self.evict(|kept| kept.inbound, false) {
            return Ok(());
        }
        let refused = NotAdmitted::Total { limit };
        self.notices.tell("a connection was refused", format_args!("{refused}"));
        Err(refused)
    }

    /// Closes the connection unused for longest among those that `may_go`.
    fn evict(&mut self, may_go: impl Fn(&Kept) -> bool, even_in_use: bool) -> bool {
        let candidates = self.kept.iter().filter(|(_, kept)| may_go(kept)).map(|(connection, kept)| {
            let in_use = kept.activity.streams.load(Ordering::Relaxed) > 0;
            ((in_use, *kept.activity.last.lock()), *connection)
        });
        let candidates = candidates.filter(|((in_use, _), _)| even_in_use || !in_use);
        let Some((_, connection)) = candidates.min_by_key(|(order, _)| *order) else { return false };
        let Some(kept) = self.kept.remove(&connection) else { return false };
        self.notices.tell(
            "a limit on connections was met",
            format_args!("an unused one of {} was closed for another", kept.origin),
        );
        self.evicted.push_back((kept.peer, connection));
        true
    }

    fn keep(&mut self, connection: ConnectionId, kept: Kept) -> Arc<Activity> {
        let activity = kept.activity.clone();
        self.kept.insert(connection, kept);
        activity
    }

    fn count(&self, wanted: impl Fn(&Kept) -> bool) -> usize {
        self.kept.values().filter(|kept| wanted(kept)).count()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    struct Door {
        admission: Admission,
        next: usize,
    }

    impl Door {
        fn new(total: usize, per_address: usize) -> Self {
            let limits = ConnectionLimits { total, per_address };
            Self { admission: Admission::new(limits, Notices::default()), next: 0 }
        }

        /// A new identity from this host.
        fn enter(&mut self, host: u8) -> Result<(ConnectionId, Arc<Activity>), NotAdmitted> {
            self.enter_as(Libp2pId::random(), host)
        }

        fn enter_as(
            &mut self,
            peer: Libp2pId,
            host: u8,
        ) -> Result<(ConnectionId, Arc<Activity>), NotAdmitted> {
            self.next += 1;
            let connection = ConnectionId::new_unchecked(self.next);
            let origin = Origin::V4(Ipv4Addr::new(192, 0, 2, host));
            Ok((connection, self.admission.inbound(connection, peer, origin)?))
        }

        fn evicted(&mut self) -> Option<ConnectionId> {
            self.admission.next_evicted().map(|(_, connection)| connection)
        }
    }

    #[test]
    fn one_address_cannot_keep_another_out() {
        let mut door = Door::new(8, 8);
        let greedy: Vec<_> = (0..8).map(|_| door.enter(1).unwrap()).collect();
        let _in_use: Vec<_> = greedy.iter().map(|(_, activity)| activity.begin()).collect();
        // Even though all are in use, an address with nothing gets in.
        door.enter(2).unwrap();
        assert_eq!(door.evicted(), Some(greedy[0].0));
    }

    #[test]
    fn unused_identities_of_an_address_make_room_for_the_next() {
        let mut door = Door::new(100, 4);
        let first: Vec<_> = (0..4).map(|_| door.enter(1).unwrap()).collect();
        let in_use = first[0].1.begin();
        door.enter(1).unwrap();
        assert_eq!(door.evicted(), Some(first[1].0), "the first is in use");
        for _ in 0..1000 {
            door.enter(1).unwrap();
        }
        assert_eq!(door.admission.kept.len(), 4, "bounded, whatever comes");
        assert!(door.admission.kept.contains_key(&first[0].0));
        drop(in_use);
    }

    #[test]
    fn an_address_whose_connections_are_all_in_use_has_no_more() {
        let mut door = Door::new(100, 2);
        let held: Vec<_> = (0..2).map(|_| door.enter(1).unwrap().1.begin()).collect();
        let refused = door.enter(1).unwrap_err().to_string();
        assert_eq!(refused, "192.0.2.1 has 2 connections, all in use; that is the limit for one address");
        drop(held);
        door.enter(1).unwrap();
    }

    #[test]
    fn a_peer_that_comes_again_replaces_its_oldest_connection() {
        let (mut door, peer) = (Door::new(100, 100), Libp2pId::random());
        let all: Vec<_> = (0..MAX_PER_PEER).map(|_| door.enter_as(peer, 1).unwrap().0).collect();
        door.enter_as(peer, 2).unwrap();
        assert_eq!(door.evicted(), Some(all[0]));
        assert_eq!(door.admission.kept.len(), MAX_PER_PEER);
    }
}
