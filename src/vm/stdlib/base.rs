//! The basic functions: `print`, `type`, `pairs`, `error` and their like.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use ottavino_gc_arena::{Collect, Gc};
use piccolo::table::NextValue;
use piccolo::{Context, Function, MetaMethod, String as LuaString, Table, Value};

use super::protected_call::{PCALL, XPCALL};
use super::text::{self, MAX_NUMBER_BYTES, append_number, number_text};
use crate::vm::call::Call;
use crate::vm::counted::CountedBuffer;
use crate::vm::installer::{Installer, string_metatable};
use crate::vm::native::{Flow, Native, Outcome, Raise};
use crate::vm::read_only;
use crate::vm::task::{Task, Turn, go_on};

/// Fuel for a call of any native here, beyond what the VM charges for a call.
const CALL: i32 = 4;

/// The longest line that `print` passes on, in bytes; the rest is cut.
const MAX_PRINT_BYTES: usize = 8 * 1024;

static NATIVES: &[Native] = &[
    Native { name: "print", fuel: CALL, run: print },
    Native { name: "type", fuel: CALL, run: type_of },
    Native { name: "tostring", fuel: CALL, run: to_string },
    Native { name: "tonumber", fuel: CALL, run: to_number },
    Native { name: "ipairs", fuel: CALL, run: ipairs },
    Native { name: "pairs", fuel: CALL, run: pairs },
    Native { name: "select", fuel: CALL, run: select },
    Native { name: "unpack", fuel: CALL, run: unpack },
    Native { name: "error", fuel: CALL, run: error },
    Native { name: "assert", fuel: CALL, run: assert },
    Native { name: "setmetatable", fuel: CALL, run: set_metatable },
    Native { name: "getmetatable", fuel: CALL, run: get_metatable },
    Native { name: "rawequal", fuel: CALL, run: raw_equal },
    Native { name: "rawlen", fuel: CALL, run: raw_len },
    Native { name: "rawget", fuel: CALL, run: raw_get },
    Native { name: "rawset", fuel: CALL, run: raw_set },
];

static NEXT: Native = Native { name: "next", fuel: CALL, run: next };
static IPAIRS_STEP: Native = Native { name: "ipairs", fuel: CALL, run: ipairs_step };

/// Bounds how many values a call passes on as `...`: each call may add to those it was given.
pub(super) static LIMIT_VALUES: Native = Native { name: "...", fuel: 0, run: limit_values };

fn limit_values<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    call.ask_values(call.count())?;
    call.give_nothing()
}

pub(super) fn install(installer: &Installer<'_, '_>) {
    for native in NATIVES {
        installer.global(native.name, |i| i.bind(native).into());
    }
    installer.global("next", |i| i.bind(&NEXT).into());
    installer.global("pcall", |i| i.bind(&PCALL).into());
    installer.global("xpcall", |i| i.bind(&XPCALL).into());
    installer.global("_VERSION", |i| i.text("Lua 5.1"));
    installer.global("_G", |i| i.ctx.globals().into());
}

// ---- text ---------------------------------------------------------------------------------

fn type_of<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let name = call.any(1)?.type_name();
    call.give(call.ctx.intern_static(name.as_bytes()))
}

fn to_string<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let value = call.any(1)?;
    if let Some(function) = tostring_metamethod(call.ctx, value) {
        call.stack.clear();
        call.stack.push_back(value);
        return Ok(Flow::Call { function, then: None });
    }
    if let Value::String(text) = value {
        return call.give(text);
    }
    if let Value::Integer(_) | Value::Number(_) = value {
        call.ask_string(MAX_NUMBER_BYTES)?;
        let text = call.build_string(MAX_NUMBER_BYTES, |out| append_number(value, out));
        return call.give(text);
    }
    let text = plain_text(value);
    call.give_bytes(text.as_bytes())
}

fn tostring_metamethod<'gc>(ctx: Context<'gc>, value: Value<'gc>) -> Option<Function<'gc>> {
    let Value::Table(table) = value else { return None };
    match table.metatable()?.get_value(ctx, MetaMethod::ToString) {
        Value::Function(function) => Some(function),
        _ => None,
    }
}

/// The text of any value but a string, without metamethods.
fn plain_text(value: Value<'_>) -> String {
    let address = |pointer: *const ()| format!("{}: 0x{:012x}", value.type_name(), disguised(pointer));
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Table(table) => address(Gc::as_ptr(table.into_inner()).cast()),
        Value::Function(Function::Closure(closure)) => address(Gc::as_ptr(closure.into_inner()).cast()),
        Value::Function(Function::Callback(callback)) => address(Gc::as_ptr(callback.into_inner()).cast()),
        Value::Thread(thread) => address(Gc::as_ptr(thread.into_inner()).cast()),
        Value::UserData(data) => address(Gc::as_ptr(data.into_inner()).cast()),
        Value::Integer(_) | Value::Number(_) => number_text(value).unwrap_or_default(),
        Value::String(text) => text.display_lossy().to_string(),
    }
}

/// A number that tells two objects apart and does not tell a stranger where memory lies.
fn disguised(pointer: *const ()) -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEY.hash_one(pointer as usize) >> 16
}

fn print<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    call.charge_units(call.count());
    let line = PrintLine { line: CountedBuffer::new(call), count: call.count(), next: 0, called: false };
    Ok(go_on(call, line))
}

/// Joins the arguments of `print`, which may have to call `__tostring` for some.
#[derive(Collect)]
#[collect(require_static)]
struct PrintLine {
    line: CountedBuffer,
    /// The number of arguments; what a `__tostring` returned lies above them.
    count: usize,
    /// The argument to look at next, from 0.
    next: usize,
    /// Whether a `__tostring` was called for it.
    called: bool,
}

impl PrintLine {
    fn push_argument<'gc>(&mut self, call: &mut Call<'gc, '_>, text: &[u8]) -> Result<(), Raise<'gc>> {
        let tab: &[u8] = if self.next == 0 { b"" } else { b"\t" };
        let room = MAX_PRINT_BYTES.saturating_sub(self.line.bytes().len());
        self.line.reserve(call, room.min(tab.len() + text.len()))?;
        self.line.bytes().extend(tab.iter().chain(text).take(room));
        self.next += 1;
        Ok(())
    }

    /// Takes what a `__tostring` returned for the argument.
    fn push_result<'gc>(&mut self, call: &mut Call<'gc, '_>) -> Result<(), Raise<'gc>> {
        let result = call.stack.get(self.count);
        match (result, number_text(result)) {
            (Value::String(text), _) => self.push_argument(call, text.as_bytes())?,
            (_, Some(text)) => self.push_argument(call, text.as_bytes())?,
            (_, None) => {
                return Err(Raise::Message("'tostring' must return a string to 'print'".to_owned()));
            }
        }
        self.called = false;
        call.stack.resize(self.count);
        Ok(())
    }
}

impl<'gc> Task<'gc> for PrintLine {
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        if self.called {
            self.push_result(call)?;
        }
        while self.next < self.count {
            let value = call.stack.get(self.next);
            match (value, tostring_metamethod(call.ctx, value)) {
                (Value::String(text), _) => self.push_argument(call, text.as_bytes())?,
                (_, None) => self.push_argument(call, plain_text(value).as_bytes())?,
                (_, Some(function)) => {
                    self.called = true;
                    call.stack.push_back(value);
                    return Ok(Turn::Call { bottom: self.count, function });
                }
            }
        }
        call.shared.host.print(self.line.bytes());
        call.stack.clear();
        Ok(Turn::Return)
    }
}

fn to_number<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let value = call.any(1)?;
    if call.value(2).is_nil() {
        let number = match value {
            Value::Integer(_) | Value::Number(_) => value,
            Value::String(text) => text::parse_number(text.as_bytes()),
            _ => Value::Nil,
        };
        return call.give(number);
    }
    let base = call.integer(2)?;
    let Some(base) = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)) else {
        return Err(call.bad_argument(2, "base out of range"));
    };
    let text = call.text(1)?;
    call.charge_bytes(text.as_bytes().len());
    call.give(text::parse_number_in_base(text.as_bytes(), base))
}

// ---- traversal ----------------------------------------------------------------------------

fn ipairs<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let step = IPAIRS_STEP.bind(call.ctx, call.shared);
    call.give_all([step.into(), table.into(), Value::Integer(0)])
}

fn ipairs_step<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let index = call.integer(2)?.saturating_add(1);
    match table.get_raw(Value::Integer(index)) {
        Value::Nil => call.give(Value::Nil),
        value => call.give_all([Value::Integer(index), value]),
    }
}

fn pairs<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let next = NEXT.bind(call.ctx, call.shared);
    call.give_all([next.into(), table.into(), Value::Nil])
}

fn next<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let table = read_only::contents(call.ctx, table).unwrap_or(table);
    match table.next(call.value(2)) {
        NextValue::Found { key, value } => call.give_all([key, value]),
        NextValue::Last => call.give(Value::Nil),
        NextValue::NotFound => Err(Raise::Message("invalid key to 'next'".to_owned())),
    }
}

// ---- values -------------------------------------------------------------------------------

fn select<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let extra = call.count().saturating_sub(1);
    if matches!(call.value(1), Value::String(text) if text.as_bytes() == b"#") {
        return call.give(Value::Integer(extra as i64));
    }
    let wanted = call.integer(1)?;
    let skip = if wanted < 0 { (extra as i64).saturating_add(wanted) } else { wanted - 1 };
    let Ok(skip) = usize::try_from(skip) else {
        return Err(call.bad_argument(1, "index out of range"));
    };
    call.charge_units(extra);
    call.stack.drain(..=skip.min(extra));
    Ok(Flow::Return)
}

fn unpack<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let first = call.integer_or(2, 1)?;
    let last = if call.value(3).is_nil() { table.length() } else { call.integer(3)? };
    if first > last {
        return call.give_nothing();
    }
    let count = last.abs_diff(first).saturating_add(1);
    call.ask_values(usize::try_from(count).unwrap_or(usize::MAX))?;
    call.stack.clear();
    call.stack.extend((first..=last).map(|index| table.get_raw(Value::Integer(index))));
    Ok(Flow::Return)
}

fn raw_equal<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (left, right) = (call.any(1)?, call.any(2)?);
    if let (Value::String(left), Value::String(right)) = (left, right)
        && left.len() == right.len()
    {
        call.charge_bytes(left.as_bytes().len());
    }
    call.give(values_equal(left, right))
}

/// Equality without metamethods.
fn values_equal<'gc>(left: Value<'gc>, right: Value<'gc>) -> bool {
    match (left, right) {
        (Value::Table(a), Value::Table(b)) => a == b,
        (Value::Function(a), Value::Function(b)) => a == b,
        (Value::Thread(a), Value::Thread(b)) => a == b,
        (Value::UserData(a), Value::UserData(b)) => a == b,
        _ => match (left.to_constant(), right.to_constant()) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
    }
}

fn raw_len<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    match call.value(1) {
        Value::Table(table) => call.give(table.length()),
        Value::String(text) => call.give(text.len()),
        _ => Err(call.bad_argument(1, "table or string expected")),
    }
}

fn raw_get<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let key = call.any(2)?;
    read_only::refuse_raw_access(call, table)?;
    call.give(table.get_raw(key))
}

fn raw_set<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let (key, value) = (call.any(2)?, call.any(3)?);
    read_only::refuse_raw_access(call, table)?;
    table.set_raw(&call.ctx, key, value).map_err(|_| {
        Raise::Message(format!("table index is {}", if key.is_nil() { "nil" } else { "NaN" }))
    })?;
    call.give(table)
}

// ---- metatables ---------------------------------------------------------------------------

fn metatable_field<'gc>(ctx: Context<'gc>, metatable: Option<Table<'gc>>) -> Option<Value<'gc>> {
    match metatable?.get_value(ctx, "__metatable") {
        Value::Nil => None,
        field => Some(field),
    }
}

fn is_protected<'gc>(ctx: Context<'gc>, table: Table<'gc>) -> bool {
    metatable_field(ctx, table.metatable()).is_some()
}

fn set_metatable<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let metatable = match call.value(2) {
        Value::Table(metatable) => Some(metatable),
        Value::Nil if call.count() >= 2 => None,
        _ => return Err(call.bad_argument(2, "nil or table expected")),
    };
    if is_protected(call.ctx, table) {
        return Err(Raise::Message("cannot change a protected metatable".to_owned()));
    }
    table.set_metatable(&call.ctx, metatable);
    call.give(table)
}

fn get_metatable<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let metatable = match call.any(1)? {
        Value::Table(table) => table.metatable(),
        Value::String(_) => Some(string_metatable(call.ctx)),
        _ => None,
    };
    match metatable_field(call.ctx, metatable) {
        Some(field) => call.give(field),
        None => call.give(metatable.map_or(Value::Nil, Value::Table)),
    }
}

// ---- errors -------------------------------------------------------------------------------

fn error<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let level = call.integer_or(2, 1)?;
    let value = call.value(1);
    Err(chosen_error(call, value, level))
}

fn assert<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    if call.any(1)?.to_bool() {
        return Ok(Flow::Return);
    }
    if call.value(2).is_nil() {
        return Err(Raise::Message("assertion failed!".to_owned()));
    }
    let text = call.text(2)?;
    Err(chosen_error(call, text.into(), 1))
}

/// The error that the script raises with `value`. A text gets its position, and both are
/// remembered: what the script chose to say may be shown to a visitor, a path and a line not.
fn chosen_error<'gc>(call: &mut Call<'gc, '_>, value: Value<'gc>, level: i64) -> Raise<'gc> {
    let text = match value {
        Value::String(text) => text,
        _ => match number_text(value) {
            Some(text) if level > 0 => LuaString::from_slice(&call.ctx, text.as_bytes()),
            _ => return Raise::Value(value),
        },
    };
    let position = call.position(level);
    let raised = if position.is_empty() {
        text
    } else {
        let bytes = position.len() + text.as_bytes().len();
        if let Err(raise) = call.ask_string(bytes) {
            return raise;
        }
        call.build_string(bytes, |raised| {
            raised.extend_from_slice(position.as_bytes());
            raised.extend_from_slice(text.as_bytes());
        })
    };
    let script = &call.shared.places.script;
    call.shared.chosen.borrow_mut().raised(script, text.as_bytes(), raised.as_bytes());
    Raise::Value(raised.into())
}
