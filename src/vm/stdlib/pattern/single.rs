//! The parts of a pattern that match one byte: `x`, `.`, `%a`, `[set]`.

use super::PatternError;
use super::byte_set::{self, ByteSet};

/// What one byte has to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Single {
    Any,
    Byte(u8),
    Class(&'static ByteSet),
    Set(ByteSet),
}

impl Single {
    pub(super) fn matches(&self, byte: u8) -> bool {
        match self {
            Self::Any => true,
            Self::Byte(expected) => *expected == byte,
            Self::Class(set) => set.contains(byte),
            Self::Set(set) => set.contains(byte),
        }
    }

    /// How many bytes at the head of `subject` match.
    pub(super) fn run_length(&self, subject: &[u8]) -> usize {
        let mismatch = match self {
            Self::Any => None,
            Self::Byte(expected) => subject.iter().position(|byte| byte != expected),
            Self::Class(set) => subject.iter().position(|byte| !set.contains(*byte)),
            Self::Set(set) => subject.iter().position(|byte| !set.contains(*byte)),
        };
        mismatch.unwrap_or(subject.len())
    }

    /// The steps that [`Single::run_length`] took to count `length` bytes.
    pub(super) fn run_cost(&self, length: usize) -> usize {
        match self {
            Self::Any => 0,
            Self::Byte(_) | Self::Class(_) | Self::Set(_) => length,
        }
    }
}

/// Reads the single at `at`, which is not a set, and says where it ends.
pub(super) fn read_simple(pattern: &[u8], at: usize) -> Result<(Single, usize), PatternError> {
    match pattern.get(at) {
        Some(b'.') => Ok((Single::Any, at + 1)),
        Some(b'%') => {
            let letter = *pattern.get(at + 1).ok_or(PatternError::EndsWithPercent)?;
            Ok((byte_set::class(letter).map_or(Single::Byte(letter), Single::Class), at + 2))
        }
        Some(byte) => Ok((Single::Byte(*byte), at + 1)),
        None => Err(PatternError::EndsWithPercent),
    }
}

/// Reads the set at `at`, where its `[` stands, and says where it ends.
///
/// As in reference Lua, the first byte of a set is part of it even when it is `]`, and a class or
/// an escaped byte can't begin a range.
pub(super) fn read_set(pattern: &[u8], at: usize) -> Result<(ByteSet, usize), PatternError> {
    let negated = pattern.get(at + 1) == Some(&b'^');
    let first = at + 1 + usize::from(negated);
    let close = find_close(pattern, first)?;
    let inside = pattern.get(first..close).unwrap_or_default();
    let set = collect(inside);
    Ok((if negated { set.complement() } else { set }, close + 1))
}

/// Where the `]` of the set whose first byte is at `first` stands.
fn find_close(pattern: &[u8], first: usize) -> Result<usize, PatternError> {
    let mut at = first;
    loop {
        let byte = *pattern.get(at).ok_or(PatternError::MissingBracket)?;
        if byte == b']' && at != first {
            return Ok(at);
        }
        at += if byte == b'%' && at + 1 < pattern.len() { 2 } else { 1 };
    }
}

fn collect(inside: &[u8]) -> ByteSet {
    let mut set = ByteSet::EMPTY;
    let mut rest = inside;
    loop {
        rest = match rest {
            [] => return set,
            [b'%', letter, rest @ ..] => {
                match byte_set::class(*letter) {
                    Some(class) => set = set.union(*class),
                    None => set.insert(*letter),
                }
                rest
            }
            [low, b'-', high, rest @ ..] => {
                set.insert_range(*low, *high);
                rest
            }
            [byte, rest @ ..] => {
                set.insert(*byte);
                rest
            }
        };
    }
}
