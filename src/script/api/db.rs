//! `goop.db`: `query` and `scalar`, for data functions.
//!
//! SQLite blocks, so the query runs on a thread for that when it is its turn
//! ([`crate::script::queries`]), and the script waits without one. When the script's time is over
//! the wait is dropped, which tells SQLite to stop.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use piccolo::{String as LuaString, Table, Value};

use crate::script::api::Invocation;
use crate::script::name::ScriptName;
use crate::script::queries::Queries;
use crate::store::{MAX_SQL_BYTES, QueryError, QueryLimits, Rows, SqlValue};
use crate::vm::call::Call;
use crate::vm::counted::Counted;
use crate::vm::native::{Answer, Flow, Native, Outcome, Raise};
use crate::vm::{Mark, exact_integer, import_integer, null_value, set_mark};

/// Fuel for a query: it leaves the VM and comes back.
const QUERY: i32 = 512;

/// Fuel for each cell of the result, which becomes a value.
const CELL: usize = 2;

/// The most bytes of text in the parameters of one query: as much as SQLite takes in one value here.
const MAX_PARAMETER_BYTES: usize = 2 * 1024 * 1024;

pub(super) static NATIVES: &[Native] = &[
    Native { name: "goop.db.query", fuel: QUERY, run: |call| ask(call, give_rows) },
    Native { name: "goop.db.scalar", fuel: QUERY, run: |call| ask(call, give_scalar) },
];

type Give = for<'gc, 'a, 'b, 'c> fn(&'b mut Call<'gc, 'a>, &'c Rows) -> Outcome<'gc>;

fn ask<'gc>(call: &mut Call<'gc, '_>, give: Give) -> Outcome<'gc> {
    let (queries, script) = queries(call)?;
    let sql = call.text(1)?;
    let Ok(sql) = sql.to_str() else { return Err(call.bad_argument(1, "UTF-8 text expected")) };
    if sql.len() > MAX_SQL_BYTES {
        let error = QueryError::SqlTooLong { found: sql.len(), limit: MAX_SQL_BYTES };
        return Err(Raise::Message(format!("{}: {error}", call.name)));
    }
    let bytes = sql.len() + parameter_bytes(call)?;
    call.ask_memory(bytes)?;
    let counted = Counted::new(call.ctx.metrics(), bytes);
    let sql = sql.to_owned();
    let parameters =
        (2..=call.count()).map(|position| parameter(call, position)).collect::<Result<_, _>>()?;
    call.charge_units(call.count());
    let cancel = CancelOnDrop(Arc::default());
    let mut limits = QueryLimits::until(call.shared.budget.deadline());
    limits.cancel = cancel.0.clone();
    let name = call.name;
    Ok(Flow::Wait(Box::pin(async move {
        let result = queries.query(&script, sql, parameters, limits).await;
        drop((cancel, counted));
        let answer: Answer = match result {
            Ok(rows) => Rc::new(move |call| give(call, &rows)),
            Err(error) => failing(format!("{name}: {error}")),
        };
        answer
    })))
}

/// What the values for the query's placeholders take. They are copied, so many uses of one long text are
/// counted before they are made.
fn parameter_bytes<'gc>(call: &Call<'gc, '_>) -> Result<usize, Raise<'gc>> {
    let mut bytes = 0;
    for position in 2..=call.count() {
        if let Value::String(text) = call.value(position) {
            bytes += text.as_bytes().len();
        }
        if bytes > MAX_PARAMETER_BYTES {
            let problem = format!("the values have more than {MAX_PARAMETER_BYTES} bytes together");
            return Err(call.bad_argument(position, &problem));
        }
    }
    Ok(bytes + call.count() * size_of::<SqlValue>())
}

fn failing(message: String) -> Answer {
    Rc::new(move |_| Err(Raise::Message(message.clone())))
}

fn queries<'gc>(call: &Call<'gc, '_>) -> Result<(Queries, ScriptName), Raise<'gc>> {
    let invocation: &Invocation = call.host()?;
    match &invocation.queries {
        Some(queries) => Ok((queries.clone(), invocation.script.clone())),
        None => Err(Raise::Message(format!("{}: only data functions have it", call.name))),
    }
}

/// Tells SQLite to stop when nobody waits for it any more.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn parameter<'gc>(call: &Call<'gc, '_>, position: usize) -> Result<SqlValue, Raise<'gc>> {
    match call.value(position) {
        Value::Nil => Ok(SqlValue::Null),
        Value::Table(table) if table == null_value(call.ctx) => Ok(SqlValue::Null),
        Value::Boolean(flag) => Ok(SqlValue::Integer(flag.into())),
        Value::Integer(integer) => Ok(SqlValue::Integer(integer)),
        // SQLite would take it for NULL.
        Value::Number(float) if float.is_nan() => {
            Err(call.bad_argument(position, "a value for the database expected, got nan"))
        }
        // SQLite tells 5 from 5.0, scripts do not.
        Value::Number(float) => Ok(exact_integer(float).map_or(SqlValue::Real(float), SqlValue::Integer)),
        Value::String(text) => Ok(match text.to_str() {
            Ok(text) => SqlValue::Text(text.to_owned()),
            Err(_) => SqlValue::Blob(text.as_bytes().to_vec()),
        }),
        other => {
            let problem = format!("a value for the database expected, got {}", other.type_name());
            Err(call.bad_argument(position, &problem))
        }
    }
}

fn value<'gc>(call: &mut Call<'gc, '_>, value: &SqlValue) -> Result<Value<'gc>, Raise<'gc>> {
    Ok(match value {
        SqlValue::Null => Value::Nil,
        SqlValue::Integer(integer) => import_integer(*integer),
        SqlValue::Real(float) => Value::Number(*float),
        SqlValue::Text(text) => call.new_string(text.as_bytes())?.into(),
        SqlValue::Blob(bytes) => call.new_string(bytes)?.into(),
    })
}

/// Rows as a list of tables by column name. Of columns that share one the last counts, as in deployed peers: a
/// `SELECT *` over two tables has both of their `_id`, and refusing it would break scripts that never look at them.
fn give_rows<'gc>(call: &mut Call<'gc, '_>, rows: &Rows) -> Outcome<'gc> {
    let mut names = Vec::new();
    for column in &rows.columns {
        names.push(call.new_string(column.as_bytes())?);
    }
    let list = Table::new(&call.ctx);
    if rows.rows.is_empty() {
        set_mark(call.ctx, list, Mark::List);
    }
    for (index, row) in (1_i64..).zip(&rows.rows) {
        let table = row_table(call, &names, row)?;
        set(call, list, Value::Integer(index), table.into());
    }
    call.give(list)
}

fn row_table<'gc>(
    call: &mut Call<'gc, '_>,
    names: &[LuaString<'gc>],
    row: &[SqlValue],
) -> Result<Table<'gc>, Raise<'gc>> {
    /// What an entry of a table takes, with the room it grows by.
    const BYTES_PER_ENTRY: usize = 64;
    call.charge_units(CELL * row.len());
    call.ask_memory(BYTES_PER_ENTRY * row.len())?;
    let table = Table::new(&call.ctx);
    for (name, cell) in names.iter().zip(row) {
        let value = value(call, cell)?;
        set(call, table, Value::String(*name), value);
    }
    Ok(table)
}

fn set<'gc>(call: &Call<'gc, '_>, table: Table<'gc>, key: Value<'gc>, value: Value<'gc>) {
    let set = table.set_raw(&call.ctx, key, value);
    debug_assert!(set.is_ok(), "keys are column names and positive integers");
}

/// The first column of the first row; nil when there is none.
fn give_scalar<'gc>(call: &mut Call<'gc, '_>, rows: &Rows) -> Outcome<'gc> {
    match rows.rows.first().and_then(|row| row.first()) {
        Some(cell) => {
            let value = value(call, cell)?;
            call.give(value)
        }
        None => call.give(Value::Nil),
    }
}
