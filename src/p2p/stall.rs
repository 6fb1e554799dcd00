//! A stream that fails when the other side takes or gives next to nothing for a while.
//!
//! A limit on the whole exchange alone must allow for the largest file on the slowest line, and
//! so lets a silent peer hold a stream that long. Progress is what tells the two apart; a byte now
//! and then is none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};

/// How much must go through to count as progress, in bytes: some 800 a second.
const PROGRESS_BYTES: usize = 16 * 1024;

/// A stream whose reads and writes fail with [`io::ErrorKind::TimedOut`] after `patience`
/// without progress.
pub(super) struct Stalling<S> {
    stream: S,
    patience: Duration,
    /// Set anew when a wait begins after progress: the time we spend ourselves is not the peer's.
    deadline: Pin<Box<Sleep>>,
    /// Bytes since then.
    moved: usize,
    waiting: bool,
}

impl<S> Stalling<S> {
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, deadline: Box::pin(sleep(patience)), moved: PROGRESS_BYTES, waiting: false }
    }

    /// A read or write, which is progress.
    fn counted(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &polled {
            self.moved = self.moved.saturating_add(*bytes);
        }
        self.watched(cx, polled)
    }

    fn watched<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.waiting = false;
            return polled;
        }
        if !self.waiting {
            self.waiting = true;
            if self.moved >= PROGRESS_BYTES {
                self.moved = 0;
                self.deadline.as_mut().reset(Instant::now() + self.patience);
            }
        }
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no progress for {} s", self.patience.as_secs()),
            ))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, room);
        self.counted(cx, polled)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.counted(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.watched(cx, polled)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_close(cx);
        self.watched(cx, polled)
    }
}
