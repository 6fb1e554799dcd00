//! Lua values to JSON, within bounds: as a tree or straight as text.
//!
//! Tables are read raw: no metamethod runs while a result is converted, so a script can't make
//! the conversion take long or change what it sees. Values, depth and bytes are counted before
//! anything is built.
//!
//! An empty table says nothing of what it is. It becomes `{}`, as in deployed peers, unless it is
//! marked as a list: what came from an empty JSON array or an empty query result is, so that a list
//! without entries stays a list on the visitor's page, and `goop.json.array` marks others.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

use ottavino_gc_arena::Gc;
use piccolo::{Context, String as LuaString, Table, Value};
use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value as Json;

use crate::vm::budget::Budget;
use crate::vm::error::ConvertError;
use crate::vm::from_json::exact_integer;
use crate::vm::json_marks::{Mark, mark_of, null_value};
use crate::vm::json_room::{Room, Text};
use crate::vm::limits::{MAX_JSON_VALUES, MAX_RESULT_BYTES, MAX_RESULT_DEPTH, MAX_RESULT_TREE_BYTES};
use crate::vm::native::Raise;
use crate::vm::read_only;
use crate::vm::stdlib::text::number_text;

/// Builds the JSON form of `value`; `root` names it in errors.
///
/// # Errors
/// When the value has no form in JSON or is over a bound; the error names the place inside it.
pub(crate) fn value_to_json<'gc>(
    ctx: Context<'gc>,
    value: Value<'gc>,
    root: &'static str,
) -> Result<Json, ConvertError> {
    let exporter = Exporter { tree_bytes: Some(Cell::new(0)), ..Exporter::new(ctx, root) };
    serde_json::to_value(Item { exporter: &exporter, value }).map_err(|error| exporter.problem(&error))
}

/// Writes `value` as JSON text, the fields of objects in the order of their names, with no more memory beside what the VM
/// holds than `budget` has left.
///
/// # Errors
/// [`Raise::NeedMemory`] when that is too little, otherwise a message as of [`value_to_json`].
pub(crate) fn value_to_json_text<'gc>(
    ctx: Context<'gc>,
    budget: &Budget,
    value: Value<'gc>,
    root: &'static str,
) -> Result<Vec<u8>, Raise<'gc>> {
    let room = budget.limits().memory_bytes.saturating_sub(ctx.metrics().total_allocation());
    let exporter = Exporter { room: Room::of(room), ..Exporter::new(ctx, root) };
    let mut text = Text::new(&exporter.room, &exporter.bytes);
    let written = serde_json::to_writer(&mut text, &Item { exporter: &exporter, value });
    match (written, exporter.room.wanted()) {
        (Ok(()), _) => Ok(text.finish()),
        (Err(_), Some(wanted)) => Err(Raise::NeedMemory(wanted)),
        (Err(error), None) => Err(Raise::Message(exporter.problem(&error).to_string())),
    }
}

/// The keys and values of a table.
type Entries<'gc> = Rc<Vec<(Value<'gc>, Value<'gc>)>>;

/// What is kept of a table beside its entries.
const TABLE_BYTES: usize = 128;

struct Exporter<'gc> {
    ctx: Context<'gc>,
    null: Table<'gc>,
    root: &'static str,
    /// Where we are below the root.
    path: RefCell<Vec<Step<'gc>>>,
    /// The tables around here, to see one that contains itself.
    open: RefCell<Vec<Table<'gc>>>,
    values: Cell<usize>,
    bytes: Cell<usize>,
    /// What the tree takes that is being built, if it is one.
    tree_bytes: Option<Cell<usize>>,
    room: Room,
    /// What the tables seen so far hold. A table that was emptied is still as long to walk over as it was when
    /// full, and it may be in the value a hundred thousand times: each is walked over once.
    entries: RefCell<HashMap<*const (), Entries<'gc>>>,
    /// What is wrong, where the serializer only knows that something is.
    problem: RefCell<Option<ConvertError>>,
}

#[derive(Clone, Copy)]
enum Step<'gc> {
    Field(LuaString<'gc>),
    Entry(i64),
}

/// One value on its way out.
struct Item<'gc, 'e> {
    exporter: &'e Exporter<'gc>,
    value: Value<'gc>,
}

impl Serialize for Item<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { exporter, value } = *self;
        exporter.check(exporter.admit(value))?;
        match value {
            Value::Nil => serializer.serialize_unit(),
            Value::Boolean(flag) => serializer.serialize_bool(flag),
            Value::Integer(integer) => serializer.serialize_i64(integer),
            // In Lua 5.1 `10/2` is 5: scripts do not know floats from integers.
            Value::Number(float) => match exact_integer(float) {
                Some(integer) => serializer.serialize_i64(integer),
                None => serializer.serialize_f64(float),
            },
            Value::String(text) => serializer.serialize_str(exporter.check(exporter.utf8(text))?),
            Value::Table(table) if table == exporter.null => serializer.serialize_unit(),
            Value::Table(table) => exporter.table(table, serializer),
            other => {
                let found = other.type_name();
                exporter.check(Err(ConvertError::Type { found, path: exporter.place() }))
            }
        }
    }
}

impl<'gc> Exporter<'gc> {
    fn new(ctx: Context<'gc>, root: &'static str) -> Self {
        Self {
            ctx,
            null: null_value(ctx),
            root,
            path: RefCell::default(),
            open: RefCell::default(),
            values: Cell::new(0),
            bytes: Cell::new(0),
            tree_bytes: None,
            room: Room::default(),
            entries: RefCell::default(),
            problem: RefCell::default(),
        }
    }

    fn problem(&self, error: &serde_json::Error) -> ConvertError {
        let problem = self.problem.borrow_mut().take();
        problem.unwrap_or_else(|| ConvertError::Type { found: "value", path: error.to_string() })
    }

    /// Keeps the problem for the end and stops the serializer.
    fn check<T, E: Error>(&self, result: Result<T, ConvertError>) -> Result<T, E> {
        result.map_err(|problem| {
            let error = E::custom(&problem);
            *self.problem.borrow_mut() = Some(problem);
            error
        })
    }

    /// Counts a value and what it takes, before it is written.
    fn admit(&self, value: Value<'gc>) -> Result<(), ConvertError> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MAX_JSON_VALUES {
            return Err(ConvertError::TooLarge { limit: MAX_JSON_VALUES, unit: "values" });
        }
        match value {
            Value::Nil => self.count(4),
            Value::Boolean(_) => self.count(5),
            Value::Integer(integer) => self.count(decimal_digits(integer)),
            Value::Number(float) if !float.is_finite() => Err(ConvertError::NotFinite {
                found: number_text(value).unwrap_or_default(),
                path: self.place(),
            }),
            Value::Number(float) => self.count(exact_integer(float).map_or(24, decimal_digits)),
            Value::String(text) => self.count(escaped_bytes(text.as_bytes())),
            Value::Table(table) if table == self.null => self.count(4),
            Value::Table(_) => self.count(2),
            _ => Ok(()),
        }
    }

    fn count(&self, bytes: usize) -> Result<(), ConvertError> {
        // One more for the comma, colon or bracket beside it.
        self.bytes.set(self.bytes.get().saturating_add(bytes).saturating_add(1));
        if self.bytes.get() > MAX_RESULT_BYTES {
            return Err(ConvertError::TooLarge { limit: MAX_RESULT_BYTES, unit: "bytes" });
        }
        Ok(())
    }

    /// Counts what a table takes in the tree. Its objects are search trees, whose smallest takes 632 bytes: so
    /// a megabyte of JSON can be thirty of tree.
    fn count_tree(&self, entries: &[(Value<'gc>, Value<'gc>)]) -> Result<(), ConvertError> {
        /// A node of the search tree, and how many fields it holds on average.
        const NODE_BYTES: usize = 640;
        const NODE_FIELDS: usize = 8;
        /// A value in a list whose buffer was doubled.
        const ENTRY_BYTES: usize = 64;
        let Some(tree_bytes) = &self.tree_bytes else { return Ok(()) };
        let bytes = match entries.first() {
            Some((Value::String(_), _)) => NODE_BYTES * entries.len().div_ceil(NODE_FIELDS),
            _ => ENTRY_BYTES * entries.len(),
        };
        tree_bytes.set(tree_bytes.get().saturating_add(bytes));
        if tree_bytes.get() > MAX_RESULT_TREE_BYTES {
            return Err(ConvertError::TooLarge {
                limit: MAX_RESULT_TREE_BYTES,
                unit: "bytes while it is built",
            });
        }
        Ok(())
    }

    /// What `table` holds.
    fn entries(&self, table: Table<'gc>) -> Result<Entries<'gc>, ConvertError> {
        let address = Gc::as_ptr(table.into_inner()).cast();
        if let Some(known) = self.entries.borrow().get(&address) {
            return Ok(known.clone());
        }
        // Counted first: a list that grows as they come, and is then copied to its place, takes three times as much.
        let count = table.iter().take(MAX_JSON_VALUES + 1).count();
        if count > MAX_JSON_VALUES {
            return Err(ConvertError::TooLarge { limit: MAX_JSON_VALUES, unit: "values" });
        }
        self.room.take(TABLE_BYTES + count * size_of::<(Value<'_>, Value<'_>)>())?;
        let mut entries = Vec::with_capacity(count);
        entries.extend(table.iter());
        let entries = Rc::new(entries);
        self.entries.borrow_mut().insert(address, entries.clone());
        Ok(entries)
    }

    fn utf8(&self, text: LuaString<'gc>) -> Result<&'gc str, ConvertError> {
        text.to_str().map_err(|_| ConvertError::NotUtf8 { path: self.place() })
    }

    fn table<S: Serializer>(&self, table: Table<'gc>, serializer: S) -> Result<S::Ok, S::Error> {
        let table = read_only::contents(self.ctx, table).unwrap_or(table);
        self.check(self.enter(table))?;
        let mark = mark_of(self.ctx, table);
        let entries = self.check(self.entries(table))?;
        self.check(self.count_tree(&entries))?;
        let written = match entries.first() {
            _ if mark == Some(Mark::Object) => self.fields(&entries, true, serializer),
            None if mark == Some(Mark::List) => serializer.collect_seq::<[(); 0]>([]),
            None | Some((Value::String(_), _)) => self.fields(&entries, false, serializer),
            Some(_) => self.list(table, &entries, serializer),
        }?;
        self.open.borrow_mut().pop();
        Ok(written)
    }

    fn enter(&self, table: Table<'gc>) -> Result<(), ConvertError> {
        let mut open = self.open.borrow_mut();
        if open.contains(&table) {
            return Err(ConvertError::Cycle { path: self.place() });
        }
        if open.len() >= MAX_RESULT_DEPTH {
            return Err(ConvertError::TooDeep { limit: MAX_RESULT_DEPTH });
        }
        open.push(table);
        Ok(())
    }

    /// Writes an object. Only one that is marked may have `numbers` for keys.
    fn fields<S: Serializer>(
        &self,
        entries: &[(Value<'gc>, Value<'gc>)],
        numbers: bool,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut fields = self.check(self.named_fields(entries, numbers))?;
        fields.sort_unstable_by_key(|(name, _)| name.as_bytes());
        let repeated = fields.windows(2).find(|pair| matches!(pair, [(a, _), (b, _)] if a == b));
        if let Some([(name, _), _]) = repeated {
            let name = name.display_lossy();
            return self.check(Err(self.mixed(format!("it has the key {name} as a number and as text"))));
        }
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for (name, value) in fields {
            map.serialize_key(self.check(self.utf8(name))?)?;
            self.path.borrow_mut().push(Step::Field(name));
            map.serialize_value(&Item { exporter: self, value })?;
            self.path.borrow_mut().pop();
        }
        self.room.give(entries.len() * size_of::<(LuaString<'_>, Value<'_>)>());
        map.end()
    }

    fn named_fields(
        &self,
        entries: &[(Value<'gc>, Value<'gc>)],
        numbers: bool,
    ) -> Result<Vec<(LuaString<'gc>, Value<'gc>)>, ConvertError> {
        self.room.take(entries.len() * size_of::<(LuaString<'_>, Value<'_>)>())?;
        let mut fields = Vec::with_capacity(entries.len());
        for &(key, value) in entries {
            let name = match key {
                Value::String(name) => name,
                Value::Integer(number) if numbers => {
                    LuaString::from_slice(&self.ctx, number.to_string().as_bytes())
                }
                _ if numbers => return Err(self.mixed(format!("it has a {} key", key.type_name()))),
                _ => {
                    let found = key.type_name();
                    return Err(self.mixed(format!("it has text keys and the {found} key too")));
                }
            };
            self.count(escaped_bytes(name.as_bytes()))?;
            fields.push((name, value));
        }
        Ok(fields)
    }

    fn list<S: Serializer>(
        &self,
        table: Table<'gc>,
        entries: &[(Value<'gc>, Value<'gc>)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let length = table.length();
        self.check(self.check_list(entries, length))?;
        let mut list = serializer.serialize_seq(usize::try_from(length).ok())?;
        for index in 1..=length {
            self.path.borrow_mut().push(Step::Entry(index));
            let value = table.get_raw(Value::Integer(index));
            list.serialize_element(&Item { exporter: self, value })?;
            self.path.borrow_mut().pop();
        }
        list.end()
    }

    fn check_list(&self, entries: &[(Value<'gc>, Value<'gc>)], length: i64) -> Result<(), ConvertError> {
        for &(key, _) in entries {
            match key {
                Value::Integer(index) if (1..=length).contains(&index) => {}
                Value::Integer(index) => {
                    let problem = format!("its list ends at {length}, but it has the key {index} too");
                    return Err(self.mixed(problem));
                }
                key => return Err(self.mixed(format!("it has a list and a {} key", key.type_name()))),
            }
        }
        let found = entries.len();
        if i64::try_from(found) != Ok(length) {
            let problem = format!("its list has {found} entries, but the last is number {length}");
            return Err(self.mixed(problem));
        }
        Ok(())
    }

    fn mixed(&self, detail: String) -> ConvertError {
        ConvertError::MixedTable { path: self.place(), detail }
    }

    /// `result.rows[3].name`.
    fn place(&self) -> String {
        let mut place = self.root.to_owned();
        for step in self.path.borrow().iter() {
            let written = match step {
                Step::Field(name) => write!(place, ".{}", shortened(&name.display_lossy().to_string())),
                Step::Entry(index) => write!(place, "[{index}]"),
            };
            debug_assert!(written.is_ok(), "a String takes all");
        }
        place
    }
}

/// A field's name as messages show it: it may be a whole book.
fn shortened(name: &str) -> String {
    const MAX_CHARS: usize = 40;
    match name.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}...", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
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
