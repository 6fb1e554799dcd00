//! Bounds the streams that the other side has open on a connection.
//!
//! Yamux has a bound too, but ends the connection when it is met, and with it everything within
//! the bound: sixty files asked for at once were sixty failures. So the bound that counts is kept
//! here. What is within it goes on, what is beyond it is reset, and only a peer that goes on
//! regardless loses the connection. Yamux's own bound is higher, by what this side opens and by
//! resets that the other side has not taken yet.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};

use futures::io::{AsyncRead, AsyncWrite};
use libp2p::PeerId as Libp2pId;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};

use super::limits::{MAX_INBOUND_STREAMS, MAX_RESET_STREAMS};
use super::notices::Notices;

/// How many new streams are looked at before others of this process have a turn.
const MAX_IN_A_ROW: usize = 64;

/// A multiplexer whose inbound streams are counted.
pub(super) struct Bounded<M: StreamMuxer> {
    inner: M,
    peer: Libp2pId,
    notices: Notices,
    /// Opened by the other side, and not asked for yet.
    arrived: VecDeque<Counted<M::Substream>>,
    waker: Option<Waker>,
    open: Arc<AtomicUsize>,
    reset: usize,
}

impl<M: StreamMuxer> Bounded<M> {
    pub(super) fn new(inner: M, peer: Libp2pId, notices: Notices) -> Self {
        let (arrived, open) = (VecDeque::new(), Arc::default());
        Self { inner, peer, notices, arrived, waker: None, open, reset: 0 }
    }

    /// Counts a stream that the other side opened, or resets it.
    fn admit(&mut self, stream: M::Substream) -> io::Result<Option<Counted<M::Substream>>> {
        if self.open.load(Ordering::Relaxed) < MAX_INBOUND_STREAMS {
            let place = Some(Place::take(&self.open));
            return Ok(Some(Counted { stream, _place: place }));
        }
        // Dropping a stream resets it.
        drop(stream);
        self.reset += 1;
        self.notices.tell(
            "a connection had too many streams",
            format_args!("{} opened more than {MAX_INBOUND_STREAMS}; those beyond were reset", self.peer),
        );
        if self.reset > MAX_RESET_STREAMS {
            return Err(io::Error::other("the other side opens streams without end"));
        }
        Ok(None)
    }
}

impl<M> StreamMuxer for Bounded<M>
where
    M: StreamMuxer + Unpin,
    M::Substream: Unpin,
    M::Error: Send + Sync + 'static,
{
    type Substream = Counted<M::Substream>;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
        match self.arrived.pop_front() {
            Some(stream) => Poll::Ready(Ok(stream)),
            None => {
                // Filled by `poll`, which is polled as often.
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(cx)).map_err(io::Error::other)?;
        Poll::Ready(Ok(Counted { stream, _place: None }))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(io::Error::other)
    }

    /// Looks at new streams even while nobody takes any, so that the surplus does not pile up.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        let this = &mut *self;
        for _ in 0..MAX_IN_A_ROW {
            let Poll::Ready(stream) = Pin::new(&mut this.inner).poll_inbound(cx) else {
                return Pin::new(&mut this.inner).poll(cx).map_err(io::Error::other);
            };
            if let Some(stream) = this.admit(stream.map_err(io::Error::other)?)? {
                this.arrived.push_back(stream);
                if let Some(waker) = this.waker.take() {
                    waker.wake();
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// One of the streams that the other side may have open; given back when dropped.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream, with its place if the other side opened it.
#[derive(Debug)]
pub(super) struct Counted<S> {
    stream: S,
    _place: Option<Place>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, room)
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        rooms: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read_vectored(cx, rooms)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
