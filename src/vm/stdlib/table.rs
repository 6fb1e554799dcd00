//! The `table` library, except `sort`, which has a module of its own.
//!
//! Lengths and fields are raw, as in reference Lua 5.1: a `__len` that lies about a table's size
//! would otherwise keep `insert` and `remove` busy for ever.

use piccolo::{Table, Value};

use super::sort::SORT;
use super::text::number_text;
use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome, Raise};

/// Fuel for a call of any native here; elements are charged besides.
const CALL: i32 = 4;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "concat", fuel: CALL, run: concat },
    Native { name: "insert", fuel: CALL, run: insert },
    Native { name: "remove", fuel: CALL, run: remove },
    Native { name: "maxn", fuel: CALL, run: maxn },
    Native { name: "getn", fuel: CALL, run: getn },
    SORT,
];

fn get<'gc>(table: Table<'gc>, index: i64) -> Value<'gc> {
    table.get_raw(Value::Integer(index))
}

fn set<'gc>(call: &Call<'gc, '_>, table: Table<'gc>, index: i64, value: Value<'gc>) {
    let set = table.set_raw(&call.ctx, Value::Integer(index), value);
    debug_assert!(set.is_ok(), "an integer is always a valid key");
}

/// Asks whether `count` entries may be moved.
///
/// The length of a table with holes is any border, and sixty entries at powers of two make one at
/// 2^59. A list without holes has no more entries than fit into memory.
fn ask_shift<'gc>(call: &mut Call<'gc, '_>, count: i64) -> Result<(), Raise<'gc>> {
    let limit = call.shared.budget.limits().memory_bytes / size_of::<Value<'_>>();
    let count = usize::try_from(count).unwrap_or(0);
    if count > limit {
        return Err(call.over_limit("move of table entries", count, limit, "entries"));
    }
    call.charge_units(count);
    Ok(())
}

fn insert<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let end = table.length().saturating_add(1);
    let (position, value) = match call.count() {
        2 => (end, call.value(2)),
        3 => (call.integer(2)?, call.value(3)),
        _ => return Err(Raise::Message("wrong number of arguments to 'insert'".to_owned())),
    };
    if position < 1 {
        return Err(call.bad_argument(2, "position out of bounds"));
    }
    ask_shift(call, end.saturating_sub(position))?;
    for index in (position..end).rev() {
        set(call, table, index + 1, get(table, index));
    }
    set(call, table, position, value);
    call.give_nothing()
}

fn remove<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let length = table.length();
    let position = call.integer_or(2, length)?;
    if !(1..=length).contains(&position) {
        return call.give_nothing();
    }
    ask_shift(call, length - position)?;
    let removed = get(table, position);
    for index in position..length {
        set(call, table, index, get(table, index + 1));
    }
    set(call, table, length, Value::Nil);
    call.give(removed)
}

fn concat<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let separator = if call.value(2).is_nil() { None } else { Some(call.text(2)?) };
    let separator = separator.map_or(&b""[..], |text| text.as_bytes());
    let first = call.integer_or(3, 1)?;
    let last = if call.value(4).is_nil() { table.length() } else { call.integer(4)? };
    if first > last {
        return call.give_bytes(b"");
    }
    let bytes = concat_bytes(call, table, separator.len(), first, last)?;
    call.ask_string(bytes)?;
    let mut joined = Vec::with_capacity(bytes);
    for index in first..=last {
        if index > first {
            joined.extend_from_slice(separator);
        }
        match get(table, index) {
            Value::String(text) => joined.extend_from_slice(text.as_bytes()),
            value => joined.extend_from_slice(number_text(value).unwrap_or_default().as_bytes()),
        }
    }
    call.give_buffer(joined)
}

/// The size of the result, counted before a byte of it is made. The loop ends at the first entry
/// that is neither text nor number, so a huge range over a small table ends early.
fn concat_bytes<'gc>(
    call: &mut Call<'gc, '_>,
    table: Table<'gc>,
    separator_bytes: usize,
    first: i64,
    last: i64,
) -> Result<usize, Raise<'gc>> {
    let mut bytes = 0_usize;
    let mut entries = 0;
    for index in first..=last {
        entries += 1;
        let entry = match get(table, index) {
            Value::String(text) => text.as_bytes().len(),
            value => match number_text(value) {
                Some(text) => text.len(),
                None => {
                    let found = value.type_name();
                    return Err(Raise::Message(format!(
                        "invalid value ({found}) at index {index} in table for 'concat'"
                    )));
                }
            },
        };
        bytes = bytes.saturating_add(entry).saturating_add(separator_bytes);
    }
    call.charge_units(entries);
    Ok(bytes - separator_bytes.min(bytes))
}

fn maxn<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let mut largest = Value::Integer(0);
    let mut entries = 0;
    for (key, _) in table {
        entries += 1;
        if let (Some(new), Some(old)) = (number_of(key), number_of(largest))
            && new > old
        {
            largest = key;
        }
    }
    call.charge_units(entries);
    call.give(largest)
}

fn number_of(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Integer(n) => Some(n as f64),
        Value::Number(n) => Some(n),
        _ => None,
    }
}

fn getn<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let length = call.table(1)?.length();
    call.give(length)
}
