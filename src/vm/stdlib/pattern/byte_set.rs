//! Sets of bytes, and the character classes of the C locale as such sets.
//!
//! A set is written as a bitmap once, so that asking for a byte costs the same for `[a]` and for a
//! set that takes a kilobyte to write down.

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(super) const EMPTY: Self = Self([0; 4]);

    pub(super) const fn contains(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] & (1 << (byte & 63)) != 0
    }

    pub(super) const fn insert(&mut self, byte: u8) {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
    }

    /// Adds `low..=high`; nothing when `high < low`.
    pub(super) fn insert_range(&mut self, low: u8, high: u8) {
        for byte in low..=high {
            self.insert(byte);
        }
    }

    pub(super) const fn union(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a | e, b | f, c | g, d | h])
    }

    pub(super) const fn complement(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([!a, !b, !c, !d])
    }
}

/// The class that `%letter` names; nothing when the letter names none and stands for itself.
pub(super) fn class(letter: u8) -> Option<&'static ByteSet> {
    let [set, complement] = match letter.to_ascii_lowercase() {
        b'a' => &ALPHABETIC,
        b'c' => &CONTROL,
        b'd' => &DIGIT,
        b'l' => &LOWER,
        b'p' => &PUNCTUATION,
        b's' => &SPACE,
        b'u' => &UPPER,
        b'w' => &ALPHANUMERIC,
        b'x' => &HEX_DIGIT,
        b'z' => &ZERO,
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() { complement } else { set })
}

/// Builds one class and its complement at compile time.
macro_rules! class {
    ($name:ident, $byte:ident => $test:expr) => {
        static $name: [ByteSet; 2] = {
            let mut set = ByteSet::EMPTY;
            let mut $byte = 0u8;
            loop {
                if $test {
                    set.insert($byte);
                }
                if $byte == 255 {
                    break [set, set.complement()];
                }
                $byte += 1;
            }
        };
    };
}

class!(ALPHABETIC, byte => byte.is_ascii_alphabetic());
class!(CONTROL, byte => byte.is_ascii_control());
class!(DIGIT, byte => byte.is_ascii_digit());
class!(LOWER, byte => byte.is_ascii_lowercase());
class!(PUNCTUATION, byte => byte.is_ascii_punctuation());
class!(SPACE, byte => matches!(byte, b' ' | 9..=13));
class!(UPPER, byte => byte.is_ascii_uppercase());
class!(ALPHANUMERIC, byte => byte.is_ascii_alphanumeric());
class!(HEX_DIGIT, byte => byte.is_ascii_hexdigit());
class!(ZERO, byte => byte == 0);
