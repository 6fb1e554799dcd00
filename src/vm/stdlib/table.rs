//! The `table` library, except `sort`, which has a module of its own.
//!
//! Lengths and fields are raw, as in reference Lua 5.1: a `__len` that lies about a table's size
//! would otherwise keep `insert` and `remove` busy for ever.

use ottavino_gc_arena::Collect;
use piccolo::{String as LuaString, Table, Value};

use super::sort::SORT;
use super::text::number_text;
use crate::vm::call::Call;
use crate::vm::counted::CountedBuffer;
use crate::vm::native::{Flow, Native, Outcome, Raise};
use crate::vm::read_only;
use crate::vm::task::{Task, Turn, go_on};

/// Entries that `concat` appends between two looks at the limits.
const ENTRIES_PER_TURN: usize = 1_024;

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
    read_only::refuse_raw_access(call, table)?;
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
    // In this order, as in the reference.
    let separator = if call.value(2).is_nil() { None } else { Some(call.text(2)?) };
    let table = call.table(1)?;
    let next = call.integer_or(3, 1)?;
    let last = if call.value(4).is_nil() { table.length() } else { call.integer(4)? };
    if next > last {
        return call.give_bytes(b"");
    }
    let mut joining = Joining { table, separator, next: Some(next), last, out: CountedBuffer::new(call) };
    // Most lists need no second turn.
    match joining.turn(call)? {
        Turn::Return => Ok(Flow::Return),
        Turn::Pause | Turn::Call { .. } => Ok(go_on(call, joining)),
    }
}

/// A `concat` under way.
#[derive(Collect)]
#[collect(no_drop)]
struct Joining<'gc> {
    table: Table<'gc>,
    separator: Option<LuaString<'gc>>,
    /// The entry to append next, none after the last.
    next: Option<i64>,
    last: i64,
    #[collect(require_static)]
    out: CountedBuffer,
}

impl<'gc> Task<'gc> for Joining<'gc> {
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        for done in 0..ENTRIES_PER_TURN {
            let Some(index) = self.next else {
                call.charge_units(done);
                let text = call.string_of(self.out.take());
                call.give(text)?;
                return Ok(Turn::Return);
            };
            self.append(call, index)?;
            self.next = index.checked_add(1).filter(|next| *next <= self.last);
        }
        call.charge_units(ENTRIES_PER_TURN);
        Ok(Turn::Pause)
    }
}

impl<'gc> Joining<'gc> {
    /// Appends an entry, and the separator if more are to come. An entry that is neither text nor
    /// number is an error, so a huge range over a small table ends early.
    fn append(&mut self, call: &mut Call<'gc, '_>, index: i64) -> Result<(), Raise<'gc>> {
        let value = get(self.table, index);
        let number = number_text(value);
        let entry = match (&value, &number) {
            (Value::String(text), _) => text.as_bytes(),
            (_, Some(text)) => text.as_bytes(),
            (_, None) => {
                let found = value.type_name();
                return Err(Raise::Message(format!(
                    "invalid value ({found}) at index {index} in table for 'concat'"
                )));
            }
        };
        let separator = match self.separator {
            Some(separator) if index < self.last => separator.as_bytes(),
            _ => b"",
        };
        self.out.reserve(call, entry.len().saturating_add(separator.len()))?;
        self.out.bytes().extend_from_slice(entry);
        self.out.bytes().extend_from_slice(separator);
        Ok(())
    }
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
