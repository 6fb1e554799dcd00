//! Bytes read as a series of choices.
//!
//! One byte makes one choice, so that a mutation of one byte changes one thing, and seeds can be
//! written by hand. When the bytes are used up every choice is the first: generators put what ends
//! things first. The crate `arbitrary` was rejected because it takes sizes from the other end of the
//! input, which makes a seed unreadable.

/// The rest of an input.
#[derive(Debug, Clone)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// The choices that `data` makes.
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Whether all that follows is the first choice.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte, 0 behind the end.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `count`, which is 1 to 256.
    pub fn below(&mut self, count: usize) -> usize {
        if count <= 1 { 0 } else { usize::from(self.byte()) % count }
    }

    /// Whether a thing with this chance in 256 happens.
    pub fn chance(&mut self, of_256: u8) -> bool {
        !self.is_empty() && self.byte() < of_256
    }

    /// One of `from`.
    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    /// Eight bytes as a number.
    pub fn word(&mut self) -> u64 {
        (0..8).fold(0, |word, _| word << 8 | u64::from(self.byte()))
    }

    /// A piece of at most `most` bytes, as they are.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let length = usize::from(self.byte()).min(most).min(self.0.len());
        let (piece, rest) = self.0.split_at(length);
        self.0 = rest;
        piece
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_the_bytes_in_order_and_then_the_first() {
        let mut choices = Choices::new(&[7, 200, 2, b'x', b'y']);
        assert_eq!(choices.below(5), 2);
        assert!(!choices.chance(200));
        assert_eq!(choices.bytes(10), b"xy");
        assert!(choices.is_empty());
        assert_eq!((choices.below(9), choices.chance(255), choices.bytes(3).len()), (0, false, 0));
    }
}
