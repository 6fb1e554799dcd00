//! How many chat messages one address may send.
//!
//! The chat bounds what it takes from one peer, and from all. Identities are free, so whoever changes them
//! often enough would use up what there is for all; an address has a quarter of that at most, as it
//! has of the connections.
//!
//! Counting begins anew each minute, so twice as many may come around that moment. The exact windows of
//! `script::RateLimiter`, which the chat has for peers, were rejected: they remember each message that they admit,
//! up to a limit for all. Here messages are counted before they are read, and senseless ones of a few addresses
//! would use up that limit for everybody.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::origin::Origin;

/// Messages of one address in [`WINDOW`].
pub(super) const MAX_PER_ORIGIN: u32 = 1500;

/// After how long counting begins anew.
const WINDOW: Duration = Duration::from_secs(60);

/// The most addresses that are counted. With more, counting begins anew at once: many addresses are
/// many strangers.
const MAX_ORIGINS: usize = 1024;

/// What came in this minute.
#[derive(Debug, Default)]
pub(super) struct Arrivals(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    since: Option<Instant>,
    of_origin: HashMap<Origin, u32>,
}

impl Arrivals {
    /// Counts a message; tells whether it may be taken.
    pub(super) fn admit(&self, origin: Origin, now: Instant) -> bool {
        let mut counts = self.0.lock();
        let is_over = counts.since.is_none_or(|since| now.duration_since(since) >= WINDOW);
        if is_over || counts.of_origin.len() >= MAX_ORIGINS && !counts.of_origin.contains_key(&origin) {
            *counts = Counts { since: Some(now), of_origin: HashMap::new() };
        }
        let count = counts.of_origin.entry(origin).or_insert(0);
        *count = count.saturating_add(1);
        *count <= MAX_PER_ORIGIN
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_has_a_number_of_messages_a_minute_and_a_flood_of_addresses_is_bounded() {
        let (arrivals, start) = (Arrivals::default(), Instant::now());
        let host = |number: u32| Origin::V4(Ipv4Addr::from(number));
        let taken = |at| (0..2000).filter(|_| arrivals.admit(host(1), at)).count();
        assert_eq!(taken(start), 1500);
        assert!(arrivals.admit(host(2), start));
        assert_eq!(taken(start + WINDOW), 1500);
        for number in 0..100_000 {
            arrivals.admit(host(number), start + WINDOW);
        }
        assert!(arrivals.0.lock().of_origin.len() <= MAX_ORIGINS);
    }
}
