//! The generator behind `math.random`: xoshiro256**, seeded through SplitMix64.
//!
//! Both algorithms are by David Blackman and Sebastiano Vigna (<https://prng.di.unimi.it/>). They
//! are a few lines each, need no system call once seeded and give a script the same numbers for
//! the same seed on every machine. Not for secrets: the state can be worked out from the output.
//! A random-number crate was rejected, because all of it but these lines would go unused.

/// A seeded pseudo-random number generator of 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// A generator whose whole sequence follows from `seed`; every seed is fine, 0 too.
    pub fn new(seed: u64) -> Self {
        let mut mixer = seed;
        Self { state: std::array::from_fn(|_| split_mix(&mut mixer)) }
    }

    /// Starts the sequence of `seed` anew, as `math.randomseed` does.
    pub fn seed(&mut self, seed: u64) {
        *self = Self::new(seed);
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c2, d2) = (c ^ a, d ^ b);
        self.state = [a ^ d2, b ^ c2, c2 ^ (b << 17), d2.rotate_left(45)];
        result
    }

    /// The next number in `[0, 1)`, a multiple of 2⁻⁵³.
    pub fn next_f64(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 * STEP
    }

    /// The next integer in `lo..=hi`, each one equally likely; nothing when `hi < lo`.
    pub fn range(&mut self, lo: i64, hi: i64) -> Option<i64> {
        if hi < lo {
            return None;
        }
        let width = hi.wrapping_sub(lo) as u64;
        let offset = match width.checked_add(1) {
            Some(count) => self.below(count),
            None => self.next_u64(),
        };
        Some(lo.wrapping_add(offset as i64))
    }

    /// An unbiased number below `count`, by Lemire's multiplication with rejection ("Fast Random
    /// Integer Generation in an Interval", 2019). Fewer than two draws on average for any count.
    fn below(&mut self, count: u64) -> u64 {
        let threshold = count.wrapping_neg() % count;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(count);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_sequences() {
        let mut mixer = 1_234_567;
        let expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431];
        assert_eq!(std::array::from_fn(|_| split_mix(&mut mixer)), expected);

        let mut random = Random { state: [1, 2, 3, 4] };
        let expected = [11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600];
        assert_eq!(std::array::from_fn(|_| random.next_u64()), expected);
    }

    #[test]
    fn the_seed_decides_the_sequence() {
        let mut random = Random::new(7);
        let first = random.next_u64();
        assert_ne!(first, Random::new(8).next_u64());
        random.seed(7);
        assert_eq!(first, random.next_u64());
    }

    #[test]
    fn floats_stay_below_one() {
        let mut random = Random::new(0);
        let numbers: Vec<f64> = (0..10_000).map(|_| random.next_f64()).collect();
        assert!(numbers.iter().all(|n| (0.0..1.0).contains(n)));
        let mean = numbers.iter().sum::<f64>() / 10_000.0;
        assert!((0.48..0.52).contains(&mean), "mean {mean}");
    }

    #[test]
    fn ranges_are_inclusive_even_and_total() {
        let mut random = Random::new(42);
        let mut counts = [0; 6];
        for _ in 0..60_000 {
            counts[(random.range(-3, 2).unwrap() + 3) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        assert_eq!(random.range(5, 5), Some(5));
        assert_eq!(random.range(6, 5), None);
        for _ in 0..100 {
            assert!(random.range(i64::MIN, i64::MAX).is_some());
            assert!(random.range(i64::MIN, -1).unwrap() < 0);
            assert!(random.range(i64::MAX - 1, i64::MAX).unwrap() >= i64::MAX - 1);
        }
    }
}
