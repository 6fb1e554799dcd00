//! `string.format`: the arguments of the native against the directives of its format.
//!
//! Some pieces at a time: a format may have thousands of directives, and a number with 99 digits
//! behind the point takes 20 µs. What is made so far is counted as the VM's memory.

use ottavino_gc_arena::Collect;
use piccolo::{String as LuaString, Value};

use super::format::{Conversion, Directive};
use super::number::Number;
use crate::vm::call::Call;
use crate::vm::counted::CountedBuffer;
use crate::vm::native::{Flow, Native, Outcome, Raise};
use crate::vm::task::{Task, Turn, go_on};

/// Fuel for a call; bytes are charged besides.
const CALL: i32 = 4;

/// Pieces, plain or formatted, between two looks at the limits.
const PIECES_PER_TURN: usize = 256;

/// Bytes that quoting looks at for one more piece's worth of time.
const QUOTED_BYTES_PER_PIECE: usize = 16 * 1024;

pub(super) const FORMAT: Native = Native { name: "format", fuel: CALL, run: format };

fn format<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let format = call.text(1)?;
    let mut formatting = Formatting { format, at: 0, position: 1, out: CountedBuffer::new(call) };
    // Most formats need no second turn.
    match formatting.turn(call)? {
        Turn::Return => Ok(Flow::Return),
        Turn::Pause | Turn::Call { .. } => Ok(go_on(call, formatting)),
    }
}

/// A format under way.
#[derive(Collect)]
#[collect(no_drop)]
struct Formatting<'gc> {
    format: LuaString<'gc>,
    /// How much of the format is done.
    at: usize,
    /// The argument used last.
    position: usize,
    #[collect(require_static)]
    out: CountedBuffer,
}

impl<'gc> Task<'gc> for Formatting<'gc> {
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        let mut pieces = 0;
        while self.at < self.format.as_bytes().len() {
            if pieces >= PIECES_PER_TURN {
                call.charge_units(pieces);
                return Ok(Turn::Pause);
            }
            pieces += self.piece(call)?;
        }
        call.charge_units(pieces);
        let text = call.string_of(self.out.take());
        call.give(text)?;
        Ok(Turn::Return)
    }
}

impl<'gc> Formatting<'gc> {
    /// Appends the next piece of the result. Returns for how many pieces it counts.
    fn piece(&mut self, call: &mut Call<'gc, '_>) -> Result<usize, Raise<'gc>> {
        let rest = self.format.as_bytes().get(self.at..).unwrap_or_default();
        match rest {
            [b'%', b'%', ..] => self.append(call, b"%", 2),
            [b'%', behind @ ..] => {
                let (directive, length) =
                    Directive::parse(behind).map_err(|error| Raise::Message(error.to_string()))?;
                self.directive(call, directive, 1 + length)
            }
            _ => {
                let plain = memchr::memchr(b'%', rest).unwrap_or(rest.len());
                let (text, _) = rest.split_at(plain);
                self.append(call, text, plain)
            }
        }
    }

    fn append(&mut self, call: &mut Call<'gc, '_>, text: &[u8], used: usize) -> Result<usize, Raise<'gc>> {
        self.out.reserve(call, text.len())?;
        self.out.bytes().extend_from_slice(text);
        self.at += used;
        Ok(1)
    }

    fn directive(
        &mut self,
        call: &mut Call<'gc, '_>,
        directive: Directive,
        used: usize,
    ) -> Result<usize, Raise<'gc>> {
        let position = self.position + 1;
        if call.count() < position {
            return Err(call.bad_argument(position, "no value"));
        }
        let mut pieces = 1;
        if directive.conversion.takes_number() {
            let number = match call.value(position) {
                Value::Integer(integer) => Number::Integer(integer),
                _ => Number::Float(call.number(position)?),
            };
            pieces = self.append(call, &directive.format_number(number), used)?;
        } else {
            let text = call.text(position)?;
            if directive.conversion == Conversion::Quoted {
                pieces += text.as_bytes().len() / QUOTED_BYTES_PER_PIECE;
            }
            self.out.reserve(call, directive.formatted_len(text.as_bytes()))?;
            directive.append_bytes(text.as_bytes(), self.out.bytes());
            self.at += used;
        }
        self.position = position;
        Ok(pieces)
    }
}
