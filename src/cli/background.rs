//! Lines to stdout that nobody waits for.
//!
//! A reader that stops reading makes a write wait for ever. For a command that does one thing that
//! is right; a peer has to hear its owner's wish to stop all the same, and strangers decide how
//! much there is to write. So its lines go to a thread, and those that don't fit are left out.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use super::output::Output;

/// How many lines may wait. A line with a chat message can have more than 1 MiB.
const BACKLOG: usize = 64;

/// How long the last lines may take.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);

/// The writing end.
pub(crate) struct BackgroundLines {
    lines: SyncSender<String>,
    finished: Receiver<()>,
    left_out: u64,
}

impl BackgroundLines {
    /// Starts a thread that writes to `output`.
    pub(crate) fn start(mut output: Output) -> Self {
        let (lines, queue) = sync_channel::<String>(BACKLOG);
        let (finish, finished) = sync_channel(1);
        std::thread::spawn(move || {
            for line in queue {
                // A peer goes on when its owner's disk is full, or nobody reads.
                let _ = output.line(&line);
            }
            let _ = finish.send(());
        });
        Self { lines, finished, left_out: 0 }
    }

    /// Writes a line when its turn comes, or leaves it out when too many wait.
    pub(crate) fn write(&mut self, line: String) {
        match self.lines.try_send(line) {
            Ok(()) if self.left_out > 0 => {
                tracing::warn!(lines = self.left_out, "stdout is read too slowly; lines were left out");
                self.left_out = 0;
            }
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.left_out += 1,
            // The thread ends only after this sender.
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    /// Gives the lines that wait a moment to be written.
    pub(crate) fn finish(self) {
        let Self { lines, finished, .. } = self;
        drop(lines);
        let _ = finished.recv_timeout(FINISH_TIMEOUT);
    }
}
