//! The sets of a pattern, each read only once where it can be kept.

use super::PatternError;
use super::byte_set::ByteSet;
use super::single::read_set;

/// The most sets kept; further ones are read again on every visit, and paid for.
const MAX_KEPT_SETS: usize = 8;

/// Sets already read, by their offset in the pattern.
#[derive(Debug, Clone, Default)]
pub(super) struct KeptSets(Vec<KeptSet>);

/// A set, and what it took to get it.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptSet {
    at: usize,
    pub(super) set: ByteSet,
    /// The offset behind its `]`.
    pub(super) end: usize,
    /// The bytes that had to be read.
    pub(super) cost: usize,
}

impl KeptSets {
    /// Forgets all sets, for another pattern.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The set whose `[` stands at `at`.
    pub(super) fn get(&mut self, pattern: &[u8], at: usize) -> Result<KeptSet, PatternError> {
        if let Some(kept) = self.0.iter().find(|kept| kept.at == at) {
            return Ok(KeptSet { cost: 0, ..*kept });
        }
        let (set, end) = read_set(pattern, at)?;
        let read = KeptSet { at, set, end, cost: end - at };
        if self.0.len() < MAX_KEPT_SETS {
            self.0.push(read);
        }
        Ok(read)
    }
}
