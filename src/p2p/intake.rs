//! Takes the streams that a peer opens on one connection: into service, or into a queue.
//!
//! A page with thirty pictures is thirty requests at once, more than one peer may have in service.
//! Those that are too many wait for their turn, a bounded number of them for a bounded time, since
//! peers of other makes ask for everything at once and do not ask again. What waits costs what
//! Yamux keeps of it unread, which is bounded with the number of streams.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use libp2p::{Stream, StreamProtocol};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep_until};

use super::admission::{Activity, Busy};
use super::crowd::{Crowd, Full, Permit};
use super::limits::MAX_WAITING_STREAMS;
use super::notices::Notices;
use super::origin::Origin;
use crate::peer_id::PeerId;

/// How long a request waits for its turn: about as long as an asker waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream that a peer opened, with its place among those in service.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) peer: PeerId,
    pub(super) protocol: StreamProtocol,
    pub(super) stream: Stream,
    pub(super) permit: Permit<PeerId>,
    /// Keeps the connection from being taken for an unused one.
    pub(super) busy: Busy,
}

/// What all connections of a node share.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) in_service: Crowd<PeerId>,
    /// Not bounded as a channel: every entry holds a place in `in_service`.
    pub(super) inbound: mpsc::UnboundedSender<Inbound>,
    pub(super) notices: Notices,
}

/// The inbound streams of one connection.
pub(super) struct Intake {
    peer: PeerId,
    origin: Origin,
    activity: Arc<Activity>,
    service: Service,
    /// Oldest first.
    waiting: VecDeque<Waiting>,
    /// When the first of those has waited too long.
    patience: Option<Pin<Box<Sleep>>>,
}

struct Waiting {
    stream: Stream,
    protocol: StreamProtocol,
    busy: Busy,
    until: Instant,
}

impl Intake {
    pub(super) fn new(peer: PeerId, origin: Origin, activity: Arc<Activity>, service: Service) -> Self {
        Self { peer, origin, activity, service, waiting: VecDeque::new(), patience: None }
    }

    /// Takes a stream. [`Intake::poll`] has to be called afterwards.
    pub(super) fn take(&mut self, stream: Stream, protocol: StreamProtocol) {
        if self.waiting.len() >= MAX_WAITING_STREAMS {
            self.refuse(&protocol, "too many wait already");
            return;
        }
        let busy = self.activity.begin();
        self.waiting.push_back(Waiting { stream, protocol, busy, until: Instant::now() + PATIENCE });
    }

    /// Puts into service what there is a place for, and gives up what waited too long.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        // First, so that no place that becomes free in between is missed.
        self.service.in_service.wake_when_free(cx.waker());
        while let Some(first) = self.waiting.front() {
            let (now, until) = (Instant::now(), first.until);
            match self.service.in_service.enter(self.origin, &self.peer) {
                Ok(permit) => self.serve_first(permit),
                Err(full) if until <= now => {
                    if let Some(Waiting { protocol, .. }) = self.waiting.pop_front() {
                        self.refuse(&protocol, whose(full));
                    }
                    self.patience = None;
                }
                Err(_) => {
                    let patience = self.patience.get_or_insert_with(|| Box::pin(sleep_until(until)));
                    patience.as_mut().reset(until);
                    if patience.as_mut().poll(cx).is_pending() {
                        return;
                    }
                }
            }
        }
        self.patience = None;
    }

    fn serve_first(&mut self, permit: Permit<PeerId>) {
        let Some(Waiting { stream, protocol, busy, .. }) = self.waiting.pop_front() else { return };
        let peer = self.peer.clone();
        // The receiver is gone only while the node stops.
        let _ = self.service.inbound.send(Inbound { peer, protocol, stream, permit, busy });
    }

    /// Tells of a stream that is dropped, which resets it.
    fn refuse(&self, protocol: &StreamProtocol, reason: &str) {
        self.service.notices.tell(
            "a request was refused",
            format_args!("{protocol} from {} at {}: {reason}", self.peer, self.origin),
        );
    }
}

fn whose(full: Full) -> &'static str {
    match full {
        Full::Member => "the limit on requests of one peer",
        Full::Origin => "the limit on requests of one address",
        Full::Total => "the limit on requests of all peers",
    }
}
