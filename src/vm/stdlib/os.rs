//! `os.time`, `os.date` and `os.clock`: the functions of `os` that only tell the time.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use piccolo::{Table, Value};

use super::date::{self, DateFields, DateResult, TimeFields};
use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome, Raise};

/// Fuel for a call: the calendar takes about a microsecond.
const CALL: i32 = 64;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "time", fuel: CALL, run: time },
    Native { name: "date", fuel: CALL, run: date },
    Native { name: "clock", fuel: CALL, run: clock },
];

/// The time since 1970 in whole seconds.
fn now() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

fn time<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    if call.value(1).is_nil() {
        return call.give(now());
    }
    let table = call.table(1)?;
    let fields = TimeFields {
        year: field(call, table, "year"),
        month: field(call, table, "month"),
        day: field(call, table, "day"),
        hour: field(call, table, "hour"),
        min: field(call, table, "min"),
        sec: field(call, table, "sec"),
        isdst: match table.get_value(call.ctx, "isdst") {
            Value::Nil => None,
            flag => Some(flag.to_bool()),
        },
    };
    let time = date::time(&fields, &date::local_zone());
    let time = time.map_err(|error| Raise::Message(error.to_string()))?;
    call.give(time)
}

/// A field that holds a number, or text that spells one, as in reference Lua.
fn field<'gc>(call: &Call<'gc, '_>, table: Table<'gc>, name: &'static str) -> Option<i64> {
    match table.get_value(call.ctx, name) {
        Value::Integer(integer) => Some(integer),
        Value::Number(float) => Some(float as i64),
        Value::String(text) => match super::text::parse_number(text.as_bytes()) {
            Value::Integer(integer) => Some(integer),
            Value::Number(float) => Some(float as i64),
            _ => None,
        },
        _ => None,
    }
}

fn date<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let format = if call.value(1).is_nil() { None } else { Some(call.text(1)?) };
    let format = format.map_or(&b"%c"[..], |text| text.as_bytes());
    let time = if call.value(2).is_nil() { now() } else { call.integer(2)? };
    call.charge_bytes(format.len());
    // `!` asks for UTC; the zone is looked up only without it.
    let zone = if format.first() == Some(&b'!') { TimeZone::UTC } else { date::local_zone() };
    match date::date(format, time, &zone).map_err(|error| Raise::Message(error.to_string()))? {
        DateResult::Text(text) => call.give_bytes(&text),
        DateResult::Fields(fields) => {
            let table = fields_table(call, &fields);
            call.give(table)
        }
    }
}

fn fields_table<'gc>(call: &Call<'gc, '_>, fields: &DateFields) -> Table<'gc> {
    let table = Table::new(&call.ctx);
    for (name, value) in [
        ("year", fields.year),
        ("month", fields.month),
        ("day", fields.day),
        ("hour", fields.hour),
        ("min", fields.min),
        ("sec", fields.sec),
        ("wday", fields.wday),
        ("yday", fields.yday),
    ] {
        table.set_field(call.ctx, name, value);
    }
    table.set_field(call.ctx, "isdst", fields.isdst);
    table
}

/// Seconds since the invocation began: a script's own time, not the process's.
fn clock<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let seconds = call.shared.budget.started().elapsed().as_secs_f64();
    call.give(seconds)
}
