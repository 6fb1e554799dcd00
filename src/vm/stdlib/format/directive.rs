//! One directive of a format: `%[flags][width][.precision]conversion`.

use super::{append_quoted, float, integer, number_to_string, quoted_len};
use crate::vm::stdlib::number::Number;

/// The most bytes that a number takes with any directive: `%+#99.99f` of -1e308 has 410 and fits.
pub const MAX_FORMATTED_NUMBER_BYTES: usize = 512;

/// What a directive makes of its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// `%c`: the byte with that number.
    Char,
    /// `%d`, `%i`.
    Signed,
    /// `%u`: negative numbers as in two's complement of 64 bits; `%o` and `%x` too.
    Unsigned,
    /// `%o`.
    Octal,
    /// `%x`, `%X`.
    Hex,
    /// `%e`, `%E`.
    Exponent,
    /// `%f`.
    Fixed,
    /// `%g`, `%G`.
    General,
    /// `%a`, `%A`.
    HexFloat,
    /// `%q`: a string as Lua reads it back.
    Quoted,
    /// `%s`.
    Text,
}

impl Conversion {
    /// Whether the argument has to be a number; otherwise it has to be a string.
    pub fn takes_number(self) -> bool {
        !matches!(self, Self::Quoted | Self::Text)
    }
}

/// A parsed directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directive {
    /// What it makes of its argument.
    pub conversion: Conversion,
    pub(super) upper: bool,
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) space: bool,
    pub(super) alternative: bool,
    pub(super) zero: bool,
    /// At most 99.
    pub(super) width: usize,
    /// At most 99.
    pub(super) precision: Option<usize>,
}

/// Why a format is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// More than five flags.
    #[error("invalid format (repeated flags)")]
    RepeatedFlags,
    /// A width or precision of more than two digits.
    #[error("invalid format (width or precision too long)")]
    TooLong,
    /// A conversion that there is not.
    #[error("invalid option '%{}' to 'format'", shown(*.found))]
    InvalidOption {
        /// Its byte; nothing when the format ends before it.
        found: Option<u8>,
    },
}

fn shown(found: Option<u8>) -> String {
    found
        .map(|byte| if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER })
        .into_iter()
        .collect()
}

/// As many flags as there are different ones.
const MAX_FLAGS: usize = 5;

impl Directive {
    /// Reads the directive that `text` starts with, behind its `%`, and says how many bytes it has.
    ///
    /// A `%%` is not a directive: the caller looks for it first.
    ///
    /// # Errors
    /// As reference Lua 5.1, when there are too many flags or digits, or no known conversion.
    pub fn parse(text: &[u8]) -> Result<(Self, usize), FormatError> {
        let flags = text.iter().take_while(|byte| b"-+ #0".contains(byte)).count();
        if flags > MAX_FLAGS {
            return Err(FormatError::RepeatedFlags);
        }
        let (flags, rest) = text.split_at(flags);
        let (width, rest) = two_digits(rest);
        let (precision, rest) = match rest {
            [b'.', rest @ ..] => {
                let (precision, rest) = two_digits(rest);
                (Some(precision), rest)
            }
            _ => (None, rest),
        };
        let letter = rest.first().copied();
        if letter.is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(FormatError::TooLong);
        }
        let directive = Self {
            conversion: conversion(letter)?,
            upper: letter.is_some_and(|letter| letter.is_ascii_uppercase()),
            left: flags.contains(&b'-'),
            plus: flags.contains(&b'+'),
            space: flags.contains(&b' '),
            alternative: flags.contains(&b'#'),
            zero: flags.contains(&b'0'),
            width,
            precision,
        };
        Ok((directive, text.len() - rest.len() + 1))
    }

    /// Formats a number, in at most [`MAX_FORMATTED_NUMBER_BYTES`].
    ///
    /// For an integer conversion a float loses its fraction; one that 64 bits can't hold becomes
    /// the lowest integer, as on the machines that reference Lua runs on. `%s` and `%q` take the
    /// number as Lua writes it.
    pub fn format_number(&self, value: Number) -> Vec<u8> {
        match self.conversion {
            Conversion::Char => self.pad(b"", &[to_signed(value) as u8], false),
            Conversion::Signed => integer::signed(self, to_signed(value)),
            Conversion::Unsigned | Conversion::Octal | Conversion::Hex => {
                integer::unsigned(self, to_unsigned(value))
            }
            Conversion::Exponent | Conversion::Fixed | Conversion::General | Conversion::HexFloat => {
                float::format(self, value.to_f64())
            }
            Conversion::Quoted | Conversion::Text => {
                let mut out = Vec::new();
                self.append_bytes(number_to_string(value.to_f64()).as_bytes(), &mut out);
                out
            }
        }
    }

    /// The length of what [`Directive::append_bytes`] will append, so that memory for it can be
    /// asked for first.
    pub fn formatted_len(&self, bytes: &[u8]) -> usize {
        match self.conversion {
            Conversion::Quoted => quoted_len(bytes),
            _ => self.cut(bytes).len().max(self.width),
        }
    }

    /// Formats a string: quoted for `%q`, otherwise cut to the precision and padded to the width.
    pub fn append_bytes(&self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.conversion == Conversion::Quoted {
            append_quoted(bytes, out);
            return;
        }
        let bytes = self.cut(bytes);
        let padding = self.width.saturating_sub(bytes.len());
        let before = if self.left { 0 } else { padding };
        out.resize(out.len() + before, b' ');
        out.extend_from_slice(bytes);
        out.resize(out.len() + padding - before, b' ');
    }

    fn cut<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        self.precision.and_then(|precision| bytes.get(..precision)).unwrap_or(bytes)
    }

    /// Fills up to the width: behind for `-`, with zeros between the sign and the body when
    /// `zeros_allowed` and asked for, otherwise with blanks before.
    pub(super) fn pad(&self, prefix: &[u8], body: &[u8], zeros_allowed: bool) -> Vec<u8> {
        let padding = self.width.saturating_sub(prefix.len() + body.len());
        let (before, between, after) = match (self.left, self.zero && zeros_allowed) {
            (true, _) => (0, 0, padding),
            (false, true) => (0, padding, 0),
            (false, false) => (padding, 0, 0),
        };
        let mut out = vec![b' '; before];
        out.extend_from_slice(prefix);
        out.resize(out.len() + between, b'0');
        out.extend_from_slice(body);
        out.resize(out.len() + after, b' ');
        out
    }

    /// The sign in front of a number of this sign.
    pub(super) fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }
}

fn conversion(letter: Option<u8>) -> Result<Conversion, FormatError> {
    Ok(match letter {
        Some(b'c') => Conversion::Char,
        Some(b'd' | b'i') => Conversion::Signed,
        Some(b'u') => Conversion::Unsigned,
        Some(b'o') => Conversion::Octal,
        Some(b'x' | b'X') => Conversion::Hex,
        Some(b'e' | b'E') => Conversion::Exponent,
        Some(b'f') => Conversion::Fixed,
        Some(b'g' | b'G') => Conversion::General,
        Some(b'a' | b'A') => Conversion::HexFloat,
        Some(b'q') => Conversion::Quoted,
        Some(b's') => Conversion::Text,
        found => return Err(FormatError::InvalidOption { found }),
    })
}

/// The value of up to two digits, and what follows them.
fn two_digits(text: &[u8]) -> (usize, &[u8]) {
    let value = |digit: &u8| usize::from(digit - b'0');
    match text {
        [a, b, rest @ ..] if a.is_ascii_digit() && b.is_ascii_digit() => (value(a) * 10 + value(b), rest),
        [a, rest @ ..] if a.is_ascii_digit() => (value(a), rest),
        _ => (0, text),
    }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

fn to_signed(value: Number) -> i64 {
    match value {
        Number::Integer(value) => value,
        Number::Float(value) if (-TWO_TO_63..TWO_TO_63).contains(&value) => value as i64,
        Number::Float(_) => i64::MIN,
    }
}

fn to_unsigned(value: Number) -> u64 {
    match value {
        Number::Float(value) if (TWO_TO_63..2.0 * TWO_TO_63).contains(&value) => value as u64,
        other => to_signed(other) as u64,
    }
}
