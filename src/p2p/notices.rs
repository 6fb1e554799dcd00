//! Tells the owner when a bound was met: once, then at most every ten minutes with a count.
//!
//! Who meets a bound is a stranger, who may do so a thousand times a second. A line for each would
//! fill the disk and hide everything else, and no line would leave the owner with visitors who are
//! turned away for no reason. Rejected: one line per peer or address, whose number is the
//! stranger's to choose as well.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How long a bound that was told of is only counted.
const QUIET: Duration = Duration::from_secs(600);

/// The log of bounds of one node. Cloning gives another handle to the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Notices(Arc<Mutex<HashMap<&'static str, Told>>>);

#[derive(Debug)]
struct Told {
    at: Instant,
    since: u64,
}

impl Notices {
    /// `bound` was met, with `detail` about this one time. `bound` names the bound and is what is
    /// told once, so it must not contain anything of a stranger.
    pub(super) fn tell(&self, bound: &'static str, detail: fmt::Arguments<'_>) {
        if let Some(more) = self.count(bound, Instant::now()) {
            tracing::warn!(again = more, "{bound}: {detail}; told again in ten minutes at the earliest");
        }
    }

    /// How often the bound was met since it was last told of, when it is time to tell.
    fn count(&self, bound: &'static str, now: Instant) -> Option<u64> {
        let mut told = self.0.lock();
        match told.get_mut(bound) {
            Some(known) if now.duration_since(known.at) < QUIET => {
                known.since += 1;
                None
            }
            Some(known) => {
                let since = known.since;
                *known = Told { at: now, since: 0 };
                Some(since)
            }
            None => {
                told.insert(bound, Told { at: now, since: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_told_of_once_and_then_with_a_count() {
        let (notices, start) = (Notices::default(), Instant::now());
        assert_eq!(notices.count("streams", start), Some(0));
        for _ in 0..1000 {
            assert_eq!(notices.count("streams", start), None);
        }
        assert_eq!(notices.count("connections", start), Some(0));
        assert_eq!(notices.count("streams", start + QUIET), Some(1000));
        assert_eq!(notices.count("streams", start + QUIET), None);
    }
}
