//! Lines to stdout and to the log that nobody waits for.
//!
//! A reader that stops reading makes a write wait for ever. For a command that does one thing that
//! is right; a peer has to hear its owner's wish to stop all the same, and strangers decide how
//! much there is to write. So its lines go to a thread, and those that don't fit are left out, which
//! a line of its own says as soon as there is room again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// How many lines may wait: more than a folder full of scripts has to tell when all are saved at once.
const MAX_LINES: usize = 4096;

/// How many bytes may wait. A line with a chat message can have more than 1 MiB.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How long the last lines may take.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);

/// The writing end.
pub(crate) struct BackgroundLines {
    lines: Sender<String>,
    finished: Receiver<()>,
    waiting: Arc<Waiting>,
    left_out: u64,
    say_left_out: fn(u64) -> String,
}

/// What was sent to the thread and is not written yet.
#[derive(Default)]
struct Waiting {
    lines: AtomicUsize,
    bytes: AtomicUsize,
}

impl BackgroundLines {
    /// Starts a thread that gives each line to `write`. `say_left_out` makes the line that tells how
    /// many were left out before it.
    pub(crate) fn start(
        mut write: impl FnMut(&str) + Send + 'static,
        say_left_out: fn(u64) -> String,
    ) -> Self {
        let (lines, queue) = channel::<String>();
        let (finish, finished) = channel();
        let waiting = Arc::<Waiting>::default();
        let written = Arc::clone(&waiting);
        std::thread::spawn(move || {
            for line in queue {
                write(&line);
                written.lines.fetch_sub(1, Ordering::Relaxed);
                written.bytes.fetch_sub(line.len(), Ordering::Relaxed);
            }
            let _ = finish.send(());
        });
        Self { lines, finished, waiting, left_out: 0, say_left_out }
    }

    /// Writes a line when its turn comes, or leaves it out when too many wait.
    pub(crate) fn write(&mut self, line: String) {
        if self.has_room(line.len()) {
            self.tell_left_out();
            self.send(line);
        } else {
            self.left_out += 1;
        }
    }

    /// Tells that so many lines are left out here, which came too fast to be made.
    pub(crate) fn leave_out(&mut self, lines: u64) {
        self.left_out += lines;
        if self.has_room(0) {
            self.tell_left_out();
        }
    }

    fn has_room(&self, bytes: usize) -> bool {
        let bytes = self.waiting.bytes.load(Ordering::Relaxed).saturating_add(bytes);
        self.waiting.lines.load(Ordering::Relaxed) < MAX_LINES && bytes <= MAX_BYTES
    }

    fn tell_left_out(&mut self) {
        if self.left_out > 0 {
            let line = (self.say_left_out)(std::mem::take(&mut self.left_out));
            self.send(line);
        }
    }

    fn send(&self, line: String) {
        self.waiting.lines.fetch_add(1, Ordering::Relaxed);
        self.waiting.bytes.fetch_add(line.len(), Ordering::Relaxed);
        // The thread ends only after this sender.
        let _ = self.lines.send(line);
    }

    /// Gives the lines that wait a moment to be written.
    pub(crate) fn finish(mut self) {
        self.tell_left_out();
        let Self { lines, finished, .. } = self;
        drop(lines);
        let _ = finished.recv_timeout(FINISH_TIMEOUT);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    /// Lines whose reader takes none before the sender is told to go on, and what it has read.
    fn with_slow_reader() -> (BackgroundLines, Sender<()>, Receiver<String>) {
        let (go_on, wait) = channel::<()>();
        let (seen, read) = sync_channel(2 * MAX_LINES);
        let mut begun = false;
        let write = move |line: &str| {
            if !begun {
                begun = wait.recv().is_ok();
            }
            let _ = seen.send(line.to_owned());
        };
        (BackgroundLines::start(write, |lines| format!("left out {lines}")), go_on, read)
    }

    #[test]
    fn a_burst_waits_and_what_is_left_out_is_told_in_its_place() {
        let (mut lines, go_on, read) = with_slow_reader();
        for number in 0..MAX_LINES + 7 {
            lines.write(number.to_string());
        }
        go_on.send(()).unwrap();
        for number in 0..MAX_LINES {
            assert_eq!(read.recv().unwrap(), number.to_string());
        }
        lines.finish();
        assert_eq!(read.iter().collect::<Vec<_>>(), ["left out 7"]);
    }

    #[test]
    fn lines_that_were_never_made_are_told_in_their_place_and_counted_with_the_others() {
        let (mut lines, go_on, read) = with_slow_reader();
        lines.leave_out(3);
        for number in 1..MAX_LINES + 2 {
            lines.write(number.to_string());
        }
        lines.leave_out(5);
        go_on.send(()).unwrap();
        lines.finish();
        let read: Vec<_> = read.iter().collect();
        assert_eq!((read[0].as_str(), read[1].as_str()), ("left out 3", "1"));
        assert_eq!((read.len(), read[MAX_LINES].as_str()), (MAX_LINES + 1, "left out 7"));
    }

    #[test]
    fn long_lines_are_bounded_in_bytes() {
        let (mut lines, go_on, read) = with_slow_reader();
        for letter in ["a", "b", "c"] {
            lines.write(letter.repeat(MAX_BYTES / 2));
        }
        go_on.send(()).unwrap();
        lines.finish();
        let read: Vec<_> = read.iter().map(|line| line.chars().take(10).collect::<String>()).collect();
        assert_eq!(read, ["aaaaaaaaaa", "bbbbbbbbbb", "left out 1"]);
    }
}
