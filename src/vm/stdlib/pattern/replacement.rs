//! The replacement text of `gsub`: `%0` to `%9` stand for captures, `%` before another byte for
//! that byte, and a `%` at the end for a zero byte, as in reference Lua 5.1.

use memchr::memchr;

use super::{Capture, Matcher, PatternError};

/// The length in bytes of what [`append_replacement`] will append, so that memory for it can be
/// asked for first.
///
/// Takes time linear in `template`; the caller charges for that.
///
/// # Errors
/// When the template names a capture that the match does not have.
pub fn replacement_len(template: &[u8], found: &Matcher) -> Result<usize, PatternError> {
    let mut total = 0usize;
    for piece in (Pieces { rest: template }) {
        let length = match resolve(piece, found)? {
            Resolved::Bytes(bytes) => bytes.len(),
            Resolved::Capture(Capture::Slice(start, end)) => end.saturating_sub(start),
            Resolved::Capture(Capture::Position(position)) => decimal(position).len(),
        };
        total = total.saturating_add(length);
    }
    Ok(total)
}

/// Appends to `out` what `template` stands for after the match `found` in `subject`.
///
/// # Errors
/// As [`replacement_len`]; `out` may then hold a part of the text.
pub fn append_replacement(
    template: &[u8],
    subject: &[u8],
    found: &Matcher,
    out: &mut Vec<u8>,
) -> Result<(), PatternError> {
    for piece in (Pieces { rest: template }) {
        match resolve(piece, found)? {
            Resolved::Bytes(bytes) => out.extend_from_slice(bytes),
            Resolved::Capture(Capture::Slice(start, end)) => {
                out.extend_from_slice(subject.get(start..end).unwrap_or_default());
            }
            Resolved::Capture(Capture::Position(position)) => {
                out.extend_from_slice(decimal(position).as_bytes());
            }
        }
    }
    Ok(())
}

/// A position as Lua writes a number.
fn decimal(position: usize) -> String {
    crate::vm::stdlib::format::integer_to_string(i64::try_from(position).unwrap_or(i64::MAX))
}

enum Resolved<'t> {
    Bytes(&'t [u8]),
    Capture(Capture),
}

fn resolve<'t>(piece: Piece<'t>, found: &Matcher) -> Result<Resolved<'t>, PatternError> {
    Ok(match piece {
        Piece::Text(bytes) => Resolved::Bytes(bytes),
        Piece::Reference(b'0') => Resolved::Capture(Capture::Slice(found.start(), found.end())),
        Piece::Reference(digit) => Resolved::Capture(found.capture(usize::from(digit.saturating_sub(b'1')))?),
    })
}

enum Piece<'t> {
    Text(&'t [u8]),
    /// `%` and this digit.
    Reference(u8),
}

struct Pieces<'t> {
    rest: &'t [u8],
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        let (piece, rest) = match self.rest {
            [] => return None,
            [b'%'] => (Piece::Text(b"\0"), &[][..]),
            [b'%', digit, rest @ ..] if digit.is_ascii_digit() => (Piece::Reference(*digit), rest),
            [b'%', rest @ ..] => {
                let (byte, rest) = rest.split_at(1);
                (Piece::Text(byte), rest)
            }
            text => {
                let (text, rest) = text.split_at(memchr(b'%', text).unwrap_or(text.len()));
                (Piece::Text(text), rest)
            }
        };
        self.rest = rest;
        Some(piece)
    }
}
