//! Times on a logarithmic scale: percentiles in a fixed number of bytes.
//!
//! A bucket is a quarter of a doubling, so a percentile is at most a quarter too high. Keeping the times
//! themselves would be exact and grow with every call.

use std::time::Duration;

/// Buckets for each doubling.
const BUCKETS_PER_DOUBLING: u32 = 4;

/// Doublings above a microsecond: the last bucket begins beyond a minute, the longest an invocation takes.
const DOUBLINGS: u32 = 27;

const BUCKETS: usize = (BUCKETS_PER_DOUBLING * DOUBLINGS) as usize;

/// Counts of times by their magnitude.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: [u64; BUCKETS],
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    pub(crate) fn add(&mut self, time: Duration) {
        if let Some(count) = self.counts.get_mut(bucket(time)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// The time that `percent` of all were not longer than; zero when there are none.
    pub(crate) fn percentile(&self, percent: u64) -> Duration {
        let wanted = (u128::from(self.total) * u128::from(percent)).div_ceil(100);
        let mut so_far = 0;
        for (index, count) in self.counts.iter().enumerate() {
            so_far += u128::from(*count);
            if so_far >= wanted && so_far > 0 {
                return upper_bound(index);
            }
        }
        Duration::ZERO
    }
}

/// The bucket of a time: the doublings above 1,024 ns, then the quarter of the next one.
fn bucket(time: Duration) -> usize {
    let quarters = u64::try_from(time.as_nanos() >> 8).unwrap_or(u64::MAX).max(4);
    let doubling = quarters.ilog2() - 2;
    let index = u64::from(doubling * BUCKETS_PER_DOUBLING) + ((quarters >> doubling) & 3);
    usize::try_from(index).unwrap_or(usize::MAX).min(BUCKETS - 1)
}

/// Where the bucket ends.
fn upper_bound(index: usize) -> Duration {
    let (doubling, quarter) = (index / BUCKETS_PER_DOUBLING as usize, index % BUCKETS_PER_DOUBLING as usize);
    Duration::from_nanos(((5 + quarter as u64) << doubling).saturating_mul(256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_in_a_bucket_that_ends_little_above_it() {
        for micros in [2, 3, 10, 99, 1_000, 12_345, 5_000_000, 60_000_000] {
            let time = Duration::from_micros(micros);
            let mut histogram = Histogram::default();
            histogram.add(time);
            let found = histogram.percentile(50);
            assert!(found >= time && found <= time.mul_f64(1.26), "{time:?} is taken for {found:?}");
        }
    }

    #[test]
    fn percentiles_are_those_of_what_was_added() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(99), Duration::ZERO);
        for _ in 0..98 {
            histogram.add(Duration::from_micros(10));
        }
        histogram.add(Duration::from_secs(1));
        histogram.add(Duration::from_secs(100));
        assert!(histogram.percentile(50) < Duration::from_micros(13));
        assert!(histogram.percentile(98) < Duration::from_micros(13));
        assert!(histogram.percentile(99) >= Duration::from_secs(1));
        assert!(histogram.percentile(100) > Duration::from_secs(60), "the last bucket takes the rest");
    }
}
