//! When to try again what failed: soon at first, then ever later.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait: what was away for hours is back within five minutes of being there again.
const LONGEST: Duration = Duration::from_secs(300);

/// The waits between attempts.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Duration,
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Starts with a second.
    pub(crate) fn new() -> Self {
        Self::starting_with(FIRST)
    }

    /// Starts with `first`.
    pub(crate) fn starting_with(first: Duration) -> Self {
        Self { next: first, first, longest: LONGEST }
    }

    /// Never waits longer than `longest`.
    pub(crate) fn at_most(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// How long to wait after one more failure: twice as long each time, five minutes at most unless
    /// said otherwise, and up to a quarter less, so that peers that lost each other at once do not all come back at once.
    pub(crate) fn failed(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        let less = u32::try_from(RandomState::new().hash_one(wait) % 250).unwrap_or(0);
        wait - wait * less / 1000
    }

    /// The attempt worked: the next failure is a first one.
    pub(crate) fn worked(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_longer_up_to_five_minutes() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..12).map(|_| backoff.failed()).collect();
        assert!(waits[0] <= FIRST && waits[0] > FIRST / 2, "{waits:?}");
        assert!(waits[1..8].is_sorted(), "{waits:?}");
        assert!(waits[11] <= LONGEST && waits[11] > LONGEST / 2, "{waits:?}");
        backoff.worked();
        assert!(backoff.failed() <= FIRST);
        let mut short = Backoff::new().at_most(3 * FIRST);
        assert!((0..9).all(|_| short.failed() <= 3 * FIRST));
    }
}
