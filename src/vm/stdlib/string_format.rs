//! `string.format`: the arguments of the native against the directives of its format.
//!
//! Two passes over the format: the first adds up the size of the result, so that it can be asked
//! for, the second makes it. Numbers are formatted in both; each is at most half a kilobyte.

use piccolo::Value;

use super::format::{Conversion, Directive};
use super::number::Number;
use crate::vm::call::Call;
use crate::vm::limits::MAX_STRING_BYTES;
use crate::vm::native::{Native, Outcome, Raise};

/// Fuel for a call; bytes are charged besides.
const CALL: i32 = 4;

pub(super) const FORMAT: Native = Native { name: "format", fuel: CALL, run: format };

fn format<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let format = call.text(1)?;
    let format = format.as_bytes();
    call.charge_bytes(format.len());
    let mut bytes = 0_usize;
    each_piece(call, format, |piece| {
        bytes = bytes.saturating_add(piece.len());
        // Measuring goes over the text of each `%q`, and thousands of them may share one text.
        bytes <= MAX_STRING_BYTES
    })?;
    call.ask_string(bytes)?;
    let mut out = Vec::with_capacity(bytes);
    each_piece(call, format, |piece| {
        piece.append(&mut out);
        true
    })?;
    call.give_buffer(out)
}

/// A part of the result.
enum Piece<'a> {
    Plain(&'a [u8]),
    Number(Vec<u8>),
    Text(Directive, &'a [u8]),
}

impl Piece<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Plain(bytes) => bytes.len(),
            Self::Number(bytes) => bytes.len(),
            Self::Text(directive, bytes) => directive.formatted_len(bytes),
        }
    }

    fn append(&self, out: &mut Vec<u8>) {
        match self {
            Self::Plain(bytes) => out.extend_from_slice(bytes),
            Self::Number(bytes) => out.extend_from_slice(bytes),
            Self::Text(directive, bytes) => directive.append_bytes(bytes, out),
        }
    }
}

/// Gives `take` the parts of the result one after the other, until it wants no more.
fn each_piece<'gc>(
    call: &mut Call<'gc, '_>,
    format: &[u8],
    mut take: impl FnMut(&Piece<'_>) -> bool,
) -> Result<(), Raise<'gc>> {
    let mut rest = format;
    let mut position = 1;
    loop {
        let plain = memchr::memchr(b'%', rest).unwrap_or(rest.len());
        let (text, behind) = rest.split_at(plain);
        if !take(&Piece::Plain(text)) {
            return Ok(());
        }
        rest = match behind {
            [] => return Ok(()),
            [_, b'%', behind @ ..] => {
                if !take(&Piece::Plain(b"%")) {
                    return Ok(());
                }
                behind
            }
            [_, behind @ ..] => {
                let (directive, length) =
                    Directive::parse(behind).map_err(|error| Raise::Message(error.to_string()))?;
                position += 1;
                if !argument(call, directive, position, &mut take)? {
                    return Ok(());
                }
                behind.get(length..).unwrap_or_default()
            }
        };
    }
}

fn argument<'gc>(
    call: &mut Call<'gc, '_>,
    directive: Directive,
    position: usize,
    take: &mut impl FnMut(&Piece<'_>) -> bool,
) -> Result<bool, Raise<'gc>> {
    if call.count() < position {
        return Err(call.bad_argument(position, "no value"));
    }
    if directive.conversion.takes_number() {
        let number = match call.value(position) {
            Value::Integer(integer) => Number::Integer(integer),
            _ => Number::Float(call.number(position)?),
        };
        return Ok(take(&Piece::Number(directive.format_number(number))));
    }
    let text = call.text(position)?;
    if directive.conversion == Conversion::Quoted {
        call.charge_bytes(text.as_bytes().len());
    }
    Ok(take(&Piece::Text(directive, text.as_bytes())))
}
