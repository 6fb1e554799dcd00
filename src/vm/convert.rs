//! JSON to Lua values and back, both within bounds.
//!
//! Tables are read raw: no metamethod runs while a result is converted, so a script can't make
//! the conversion take long or change what it sees. Both directions count values and depth, and
//! out of the VM bytes too, before anything is built.
//!
//! An empty table says nothing of what it is. It becomes `{}`, as in deployed peers, unless it
//! came from an empty JSON array or an empty query result: those carry a mark (a protected
//! metatable), so that a list without entries stays a list on the visitor's page.

use std::collections::HashMap;
use std::rc::Rc;

use ottavino_gc_arena::{Collect, Gc, Rootable};
use piccolo::{Context, Singleton, String as LuaString, Table, Value};
use serde_json::{Map, Number, Value as Json};

use crate::vm::budget::Budget;
use crate::vm::error::ConvertError;
use crate::vm::limits::{MAX_JSON_FIELDS, MAX_JSON_VALUES, MAX_RESULT_BYTES, MAX_RESULT_DEPTH};
use crate::vm::native::Raise;
use crate::vm::stdlib::text::number_text;

/// How many values are built between two looks at the budget.
const VALUES_PER_CHECK: usize = 64;

/// Integers beyond this magnitude are not exact in a double, nor in a browser.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// The metatable that marks an empty list.
#[derive(Copy, Clone, Collect)]
#[collect(no_drop)]
struct ListMark<'gc>(Table<'gc>);

impl<'gc> Singleton<'gc> for ListMark<'gc> {
    fn create(ctx: Context<'gc>) -> Self {
        let mark = Table::new(&ctx);
        mark.set_field(ctx, "__metatable", false);
        Self(mark)
    }
}

/// Marks `table` as a list, which matters while it is empty.
pub(crate) fn mark_list<'gc>(ctx: Context<'gc>, table: Table<'gc>) {
    table.set_metatable(&ctx, Some(ctx.singleton::<Rootable![ListMark<'_>]>().0));
}

fn is_marked_list<'gc>(ctx: Context<'gc>, table: Table<'gc>) -> bool {
    table.metatable().is_some_and(|mark| mark == ctx.singleton::<Rootable![ListMark<'_>]>().0)
}

/// Builds the Lua form of `json`. `null` becomes nil, and so a hole where it is in a list.
///
/// # Errors
/// [`Raise::NeedMemory`] when the budget has no room, a message when there are too many values
/// or levels.
pub(crate) fn json_to_value<'gc>(
    ctx: Context<'gc>,
    budget: &Budget,
    json: &Json,
) -> Result<Value<'gc>, Raise<'gc>> {
    Importer { ctx, budget, values: 0 }.value(json, 0)
}

struct Importer<'gc, 'a> {
    ctx: Context<'gc>,
    budget: &'a Budget,
    values: usize,
}

impl<'gc> Importer<'gc, '_> {
    fn value(&mut self, json: &Json, depth: usize) -> Result<Value<'gc>, Raise<'gc>> {
        self.count()?;
        match json {
            Json::Null => Ok(Value::Nil),
            Json::Bool(flag) => Ok(Value::Boolean(*flag)),
            Json::Number(number) => Ok(import_number(number)),
            Json::String(text) => self.text(text),
            Json::Array(items) => self.list(items, deeper(depth)?),
            Json::Object(fields) => self.fields(fields, deeper(depth)?),
        }
    }

    fn count(&mut self) -> Result<(), Raise<'gc>> {
        self.values += 1;
        if self.values > MAX_JSON_VALUES {
            let error = ConvertError::TooLarge { limit: MAX_JSON_VALUES, unit: "values" };
            return Err(Raise::Message(error.to_string()));
        }
        if self.values.is_multiple_of(VALUES_PER_CHECK) { self.ask(0) } else { Ok(()) }
    }

    fn ask(&self, bytes: usize) -> Result<(), Raise<'gc>> {
        if self.budget.fits(self.ctx.metrics(), bytes) { Ok(()) } else { Err(Raise::NeedMemory(bytes)) }
    }

    fn text(&self, text: &str) -> Result<Value<'gc>, Raise<'gc>> {
        self.ask(text.len())?;
        let text = LuaString::from_slice(&self.ctx, text.as_bytes());
        self.budget.check_numeral(text, || None);
        Ok(text.into())
    }

    fn list(&mut self, items: &[Json], depth: usize) -> Result<Value<'gc>, Raise<'gc>> {
        let table = Table::new(&self.ctx);
        if items.is_empty() {
            mark_list(self.ctx, table);
        }
        for (index, item) in (1_i64..).zip(items) {
            let value = self.value(item, depth)?;
            set(self.ctx, table, Value::Integer(index), value);
        }
        Ok(table.into())
    }

    fn fields(&mut self, fields: &Map<String, Json>, depth: usize) -> Result<Value<'gc>, Raise<'gc>> {
        if fields.len() > MAX_JSON_FIELDS {
            let error = ConvertError::TooLarge { limit: MAX_JSON_FIELDS, unit: "fields in one object" };
            return Err(Raise::Message(error.to_string()));
        }
        let table = Table::new(&self.ctx);
        for (name, field) in fields {
            let name = self.text(name)?;
            let value = self.value(field, depth)?;
            set(self.ctx, table, name, value);
        }
        Ok(table.into())
    }
}

fn deeper<'gc>(depth: usize) -> Result<usize, Raise<'gc>> {
    if depth >= MAX_RESULT_DEPTH {
        return Err(Raise::Message(ConvertError::TooDeep { limit: MAX_RESULT_DEPTH }.to_string()));
    }
    Ok(depth + 1)
}

/// Sets a field whose key is neither nil nor NaN, which is all that could fail.
fn set<'gc>(ctx: Context<'gc>, table: Table<'gc>, key: Value<'gc>, value: Value<'gc>) {
    let set = table.set_raw(&ctx, key, value);
    debug_assert!(set.is_ok(), "keys from JSON are text and positive integers");
}

fn import_number<'gc>(number: &Number) -> Value<'gc> {
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => import_integer(integer),
        (None, Some(float)) => Value::Number(float),
        (None, None) => Value::Nil,
    }
}

/// An integer from outside: a float, as all numbers of Lua 5.1, unless it would lose digits.
pub(crate) fn import_integer<'gc>(integer: i64) -> Value<'gc> {
    /// 2^53: up to here every integer is a float.
    const MAX_EXACT: u64 = 1 << 53;
    if integer.unsigned_abs() <= MAX_EXACT { Value::Number(integer as f64) } else { Value::Integer(integer) }
}

/// The integer that a number is, where it is one that a float holds exactly.
pub(crate) fn exact_integer(float: f64) -> Option<i64> {
    (float.fract() == 0.0 && float.abs() <= MAX_EXACT_INTEGER).then_some(float as i64)
}

/// Builds the JSON form of `value`; `root` names it in errors.
///
/// # Errors
/// When the value has no form in JSON or is over a bound; the error names the place inside it.
pub(crate) fn value_to_json<'gc>(
    ctx: Context<'gc>,
    value: Value<'gc>,
    root: &str,
) -> Result<Json, ConvertError> {
    Exporter { ctx, root, path: Vec::new(), open: Vec::new(), entries: HashMap::new(), values: 1, bytes: 0 }
        .value(value)
}

struct Exporter<'gc, 'a> {
    ctx: Context<'gc>,
    root: &'a str,
    /// Where we are. It is put into words only for an error: most values have none.
    path: Vec<Step<'gc>>,
    /// The tables around here, to see one that contains itself.
    open: Vec<Table<'gc>>,
    /// What the tables seen so far hold. A table that was emptied is still as long to walk over as it was when
    /// full, and it may be in the value a hundred thousand times: each is walked over once.
    entries: HashMap<*const (), Entries<'gc>>,
    values: usize,
    bytes: usize,
}

/// A step from a table to a value in it.
#[derive(Clone, Copy)]
enum Step<'gc> {
    Field(LuaString<'gc>),
    Index(i64),
}

/// The keys and values of a table.
type Entries<'gc> = Rc<[(Value<'gc>, Value<'gc>)]>;

impl<'gc> Exporter<'gc, '_> {
    fn value(&mut self, value: Value<'gc>) -> Result<Json, ConvertError> {
        match value {
            Value::Nil => self.counted(4, Json::Null),
            Value::Boolean(flag) => self.counted(5, Json::Bool(flag)),
            Value::Integer(integer) => self.counted(decimal_digits(integer), Json::from(integer)),
            Value::Number(float) => self.float(float),
            Value::String(text) => self.text(text).map(Json::String),
            Value::Table(table) => self.table(table),
            other => Err(ConvertError::Type { found: other.type_name(), path: self.place() }),
        }
    }

    fn counted(&mut self, bytes: usize, json: Json) -> Result<Json, ConvertError> {
        self.count(bytes)?;
        Ok(json)
    }

    fn count(&mut self, bytes: usize) -> Result<(), ConvertError> {
        // One more for the comma, colon or bracket beside it.
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(1);
        if self.bytes > MAX_RESULT_BYTES {
            return Err(ConvertError::TooLarge { limit: MAX_RESULT_BYTES, unit: "bytes" });
        }
        Ok(())
    }

    /// What `table` holds, counted as values before any of them is looked at.
    fn entries_of(&mut self, table: Table<'gc>) -> Result<Entries<'gc>, ConvertError> {
        let address = Gc::as_ptr(table.into_inner()).cast();
        let entries = match self.entries.get(&address) {
            Some(known) => known.clone(),
            None => {
                let room = MAX_JSON_VALUES.saturating_sub(self.values);
                let entries: Entries<'gc> = table.iter().take(room.saturating_add(1)).collect();
                self.entries.insert(address, entries.clone());
                entries
            }
        };
        self.values = self.values.saturating_add(entries.len());
        if self.values > MAX_JSON_VALUES {
            return Err(ConvertError::TooLarge { limit: MAX_JSON_VALUES, unit: "values" });
        }
        Ok(entries)
    }

    fn float(&mut self, float: f64) -> Result<Json, ConvertError> {
        // In Lua 5.1 `10/2` is 5: scripts do not know floats from integers.
        if let Some(integer) = exact_integer(float) {
            return self.counted(decimal_digits(integer), Json::from(integer));
        }
        match Number::from_f64(float) {
            Some(number) => self.counted(24, Json::Number(number)),
            None => Err(ConvertError::NotFinite {
                found: number_text(Value::Number(float)).unwrap_or_default(),
                path: self.place(),
            }),
        }
    }

    fn text(&mut self, text: LuaString<'gc>) -> Result<String, ConvertError> {
        self.count(escaped_bytes(text.as_bytes()))?;
        match text.to_str() {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(ConvertError::NotUtf8 { path: self.place() }),
        }
    }

    fn table(&mut self, table: Table<'gc>) -> Result<Json, ConvertError> {
        if self.open.contains(&table) {
            return Err(ConvertError::Cycle { path: self.place() });
        }
        if self.open.len() >= MAX_RESULT_DEPTH {
            return Err(ConvertError::TooDeep { limit: MAX_RESULT_DEPTH });
        }
        self.count(2)?;
        let entries = self.entries_of(table)?;
        self.open.push(table);
        let json = match *entries {
            [] if is_marked_list(self.ctx, table) => Json::Array(Vec::new()),
            [] => Json::Object(Map::new()),
            [(Value::String(_), _), ..] => self.fields(&entries)?,
            _ => self.list(table, &entries)?,
        };
        self.open.pop();
        Ok(json)
    }

    fn fields(&mut self, entries: &[(Value<'gc>, Value<'gc>)]) -> Result<Json, ConvertError> {
        let mut fields = Map::new();
        for &(key, value) in entries {
            let Value::String(name) = key else {
                return Err(self.mixed(format!("it has text keys and the {} key too", key.type_name())));
            };
            let text = self.text(name)?;
            let field = self.inside(Step::Field(name), value)?;
            fields.insert(text, field);
        }
        Ok(Json::Object(fields))
    }

    fn list(
        &mut self,
        table: Table<'gc>,
        entries: &[(Value<'gc>, Value<'gc>)],
    ) -> Result<Json, ConvertError> {
        let length = table.length();
        for &(key, _) in entries {
            match key {
                Value::Integer(index) if (1..=length).contains(&index) => {}
                Value::Integer(index) => {
                    return Err(
                        self.mixed(format!("its list ends at {length}, but it has the key {index} too"))
                    );
                }
                key => return Err(self.mixed(format!("it has a list and a {} key", key.type_name()))),
            }
        }
        let found = entries.len() as i64;
        if found != length {
            return Err(self.mixed(format!("its list has {found} entries, but the last is number {length}")));
        }
        let mut items = Vec::new();
        for index in 1..=length {
            let value = table.get_raw(Value::Integer(index));
            items.push(self.inside(Step::Index(index), value)?);
        }
        Ok(Json::Array(items))
    }

    fn inside(&mut self, step: Step<'gc>, value: Value<'gc>) -> Result<Json, ConvertError> {
        self.path.push(step);
        let json = self.value(value)?;
        self.path.pop();
        Ok(json)
    }

    fn mixed(&self, detail: String) -> ConvertError {
        ConvertError::MixedTable { path: self.place(), detail }
    }

    fn place(&self) -> String {
        let steps = self.path.iter().map(|step| match step {
            Step::Field(name) => shortened(format!(".{}", name.display_lossy())),
            Step::Index(index) => format!("[{index}]"),
        });
        std::iter::once(self.root.to_owned()).chain(steps).collect()
    }
}

/// A step of a path as messages show it: a field's name may be a whole book.
fn shortened(step: String) -> String {
    const MAX_STEP_CHARS: usize = 40;
    match step.char_indices().nth(MAX_STEP_CHARS) {
        Some((end, _)) => format!("{}...", step.get(..end).unwrap_or_default()),
        None => step,
    }
}

fn decimal_digits(integer: i64) -> usize {
    integer.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1) + usize::from(integer < 0)
}

/// The size of `text` as a JSON string, quotes included.
fn escaped_bytes(text: &[u8]) -> usize {
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..=0x1F => 6,
        _ => 1,
    };
    text.iter().map(escaped).sum::<usize>() + 2
}
