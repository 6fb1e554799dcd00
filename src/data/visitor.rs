//! What one visitor may write: how much, and how often.
//!
//! The amounts are kept by the store, which alone knows what a row takes; how often is kept here.
//! A limit in time besides the one in amount, because rows that are written and deleted in turn
//! amount to nothing and wear the owner's disk all the same.

use tokio::time::Instant;

use crate::config::DataConfig;
use crate::peer_id::PeerId;
use crate::script::RateLimiter;
use crate::store::Quota;

/// The most changes by all visitors in a minute: a hundred a second. Identities are free, so the
/// limit of each is worth something only below one of all. It also bounds what is remembered.
const MAX_WRITES_PER_MINUTE: u32 = 6000;

/// A change came too soon after others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Rate limited: one visitor may make {limit} changes a minute, try again in {wait_seconds} s")]
pub(super) struct WriteRefused {
    limit: u32,
    wait_seconds: u64,
}

/// The limits of visitors, and when their last changes were.
pub(super) struct Visitors {
    quota: Quota,
    writes_per_minute: u32,
    writes: RateLimiter,
}

impl Visitors {
    pub(super) fn new(config: &DataConfig) -> Self {
        let quota = Quota {
            max_rows: config.visitor_max_rows.into(),
            max_bytes: u64::from(config.visitor_max_mb) * 1024 * 1024,
        };
        let writes_per_minute = config.visitor_writes_per_minute;
        Self { quota, writes_per_minute, writes: RateLimiter::new(writes_per_minute, MAX_WRITES_PER_MINUTE) }
    }

    /// What one visitor may keep.
    pub(super) fn quota(&self) -> Quota {
        self.quota
    }

    /// Counts a change of `peer`, or says when one will be taken.
    pub(super) fn admit_write(&self, peer: &PeerId) -> Result<(), WriteRefused> {
        self.writes.admit(peer, None, Instant::now()).map_err(|limited| WriteRefused {
            limit: self.writes_per_minute,
            // Rounded up: an attempt a moment too early would be refused again.
            wait_seconds: limited.retry_after.as_secs() + 1,
        })
    }
}
