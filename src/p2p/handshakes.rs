//! Bounds the connections that have not proved an identity yet.
//!
//! A socket that says nothing costs its owner nothing, so the number of handshakes is bounded in
//! all and per address, each in time, and a new one takes the place of the oldest: an honest
//! handshake takes a few round trips, and what has been there for longer is the suspect. Rejected:
//! libp2p's own limit on pending connections, which refuses the newcomer and so lets forty silent
//! sockets keep everybody out.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::{Multiaddr, PeerId as Libp2pId, Transport};
use tokio::time::{Sleep, sleep};

use super::crowd::{Crowd, CrowdLimits, Permit};
use super::notices::Notices;
use super::origin::Origin;

/// How long an inbound connection has to prove an identity.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// A proved identity, and the streams to it.
type Connected = (Libp2pId, StreamMuxerBox);

/// A transport whose inbound connections are bounded while they shake hands.
pub(super) struct Handshakes {
    inner: Boxed<Connected>,
    crowd: Crowd<()>,
    notices: Notices,
}

impl Handshakes {
    pub(super) fn new(inner: Boxed<Connected>, limits: CrowdLimits, notices: Notices) -> Self {
        Self { inner, crowd: Crowd::new(limits), notices }
    }
}

impl Transport for Handshakes {
    type Output = Connected;
    type Error = io::Error;
    type ListenerUpgrade = Handshake;
    type Dial = <Boxed<Connected> as Transport>::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, opts: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        self.inner.dial(address, opts)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Handshake, io::Error>> {
        loop {
            let event = std::task::ready!(Pin::new(&mut self.inner).poll(cx));
            let TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr } = event else {
                // Nothing else carries an upgrade.
                return Poll::Ready(event.map_upgrade(Handshake::unbounded));
            };
            let origin = Origin::of_inbound(&local_addr, &send_back_addr);
            // Refused only by a limit of zero; dropping the upgrade closes the socket.
            let Ok(permit) = self.crowd.enter(origin, &()) else { continue };
            let upgrade = Handshake {
                inner: upgrade,
                deadline: Box::pin(sleep(HANDSHAKE_TIMEOUT)),
                held: Some(Held { permit, origin, notices: self.notices.clone() }),
            };
            return Poll::Ready(TransportEvent::Incoming {
                listener_id,
                upgrade,
                local_addr,
                send_back_addr,
            });
        }
    }
}

/// One inbound connection that is being set up.
pub(super) struct Handshake {
    inner: BoxFuture<'static, io::Result<Connected>>,
    deadline: Pin<Box<Sleep>>,
    held: Option<Held>,
}

struct Held {
    permit: Permit<()>,
    origin: Origin,
    notices: Notices,
}

impl Handshake {
    fn unbounded(inner: BoxFuture<'static, io::Result<Connected>>) -> Self {
        Self { inner, deadline: Box::pin(sleep(HANDSHAKE_TIMEOUT)), held: None }
    }
}

impl Future for Handshake {
    type Output = io::Result<Connected>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(done) = self.inner.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if let Some(held) = &mut self.held
            && held.permit.poll_evicted(cx).is_ready()
        {
            held.notices.tell(
                "too many connections did not prove who they are",
                format_args!("the oldest of {} was closed for a newer one", held.origin),
            );
            return Poll::Ready(Err(io::Error::other("given up for a newer connection")));
        }
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => {
                if let Some(held) = &self.held {
                    held.notices.tell(
                        "a handshake took too long",
                        format_args!(
                            "{} said nothing of use for {} s",
                            held.origin,
                            HANDSHAKE_TIMEOUT.as_secs()
                        ),
                    );
                }
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
