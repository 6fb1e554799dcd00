//! The `string` library: what needs no pattern.

use piccolo::{Table, Value};

use super::{string_format, string_gsub, string_match};
use crate::vm::call::Call;
use crate::vm::installer::{Installer, string_metatable};
use crate::vm::native::{Flow, Native, Outcome};

/// Fuel for a call of any native here; bytes are charged besides.
const CALL: i32 = 2;

static NATIVES: &[Native] = &[
    Native { name: "len", fuel: CALL, run: len },
    Native { name: "sub", fuel: CALL, run: sub },
    Native { name: "upper", fuel: CALL, run: |call| mapped(call, u8::to_ascii_uppercase) },
    Native { name: "lower", fuel: CALL, run: |call| mapped(call, u8::to_ascii_lowercase) },
    Native { name: "reverse", fuel: CALL, run: reverse },
    Native { name: "rep", fuel: CALL, run: rep },
    Native { name: "byte", fuel: CALL, run: byte },
    Native { name: "char", fuel: CALL, run: char },
    string_match::FIND,
    string_match::MATCH,
    string_match::GMATCH,
    string_gsub::GSUB,
    string_format::FORMAT,
];

/// Registers the library and the methods of strings, which are the same table.
pub(super) fn install(installer: &Installer<'_, '_>) {
    let names = installer.names();
    let table = if names.computes_index() {
        // `("x")[key]` may ask for any method.
        let table = Table::new(&installer.ctx);
        for native in NATIVES {
            table.set_field(installer.ctx, native.name, installer.bind(native));
        }
        table
    } else {
        installer.library("string", NATIVES)
    };
    installer.global("string", |_| table.into());
    string_metatable(installer.ctx).set_field(installer.ctx, "__index", table);
}

/// The bytes of `text` that `first` and `last` name: counted from 1, from the end when negative.
fn slice(text: &[u8], first: i64, last: i64) -> &[u8] {
    let start = usize::try_from(offset(text, first).max(1) - 1).unwrap_or(usize::MAX);
    let end = usize::try_from(offset(text, last)).unwrap_or(0).min(text.len());
    text.get(start..end).unwrap_or_default()
}

/// A position as counted from the start: negative ones count from the end, 0 lies before it.
pub(super) fn offset(text: &[u8], position: i64) -> i64 {
    if position >= 0 { position } else { position.saturating_add(text.len() as i64).saturating_add(1).max(0) }
}

fn len<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let length = call.text(1)?.len();
    call.give(length)
}

fn sub<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let text = call.text(1)?;
    let (first, last) = (call.integer(2)?, call.integer_or(3, -1)?);
    call.give_bytes(slice(text.as_bytes(), first, last))
}

#[inline]
fn mapped<'gc>(call: &mut Call<'gc, '_>, map: impl Fn(&u8) -> u8) -> Outcome<'gc> {
    let text = call.text(1)?;
    let bytes = text.as_bytes();
    call.ask_string(bytes.len())?;
    let mapped = call.build_string(bytes.len(), |out| out.extend(bytes.iter().map(map)));
    call.give(mapped)
}

fn reverse<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let text = call.text(1)?;
    let bytes = text.as_bytes();
    call.ask_string(bytes.len())?;
    let reversed = call.build_string(bytes.len(), |out| out.extend(bytes.iter().rev()));
    call.give(reversed)
}

fn rep<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let text = call.text(1)?;
    let times = usize::try_from(call.integer(2)?).unwrap_or(0);
    let bytes = text.as_bytes().len().saturating_mul(times);
    call.ask_string(bytes)?;
    let repeated = call.build_string(bytes, |out| {
        // What is there already is copied, so that a short text is no more work than a long one.
        out.extend_from_slice(text.as_bytes().get(..bytes).unwrap_or(text.as_bytes()));
        while out.len() < bytes {
            out.extend_from_within(..out.len().min(bytes - out.len()));
        }
    });
    call.give(repeated)
}

fn byte<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let text = call.text(1)?;
    let first = call.integer_or(2, 1)?;
    let last = call.integer_or(3, first)?;
    let bytes = slice(text.as_bytes(), first, last);
    call.ask_values(bytes.len())?;
    call.stack.clear();
    call.stack.extend(bytes.iter().map(|byte| Value::Integer((*byte).into())));
    Ok(Flow::Return)
}

fn char<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let mut bytes = Vec::new();
    call.ask_string(call.count())?;
    for position in 1..=call.count() {
        match u8::try_from(call.integer(position)?) {
            Ok(byte) => bytes.push(byte),
            Err(_) => return Err(call.bad_argument(position, "invalid value")),
        }
    }
    call.give_buffer(bytes)
}
