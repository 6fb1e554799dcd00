//! JSON to Lua values, within bounds.
//!
//! Values are made while the text is read: a tree of it first would hold a hundred times the text,
//! outside the VM's own memory. Errors then also know the line and column. A request that arrived
//! as a tree already takes the same road.

use std::cell::{Cell, RefCell};
use std::fmt;

use piccolo::{Context, String as LuaString, Table, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use crate::vm::budget::Budget;
use crate::vm::error::ConvertError;
use crate::vm::json_marks::{Mark, set_mark};
use crate::vm::limits::{MAX_JSON_FIELDS, MAX_JSON_VALUES, MAX_RESULT_DEPTH};
use crate::vm::native::Raise;

/// How many values are built between two looks at the budget.
const VALUES_PER_CHECK: usize = 64;

/// Integers beyond this magnitude are not exact in a double, nor in a browser: 2^53.
const MAX_EXACT_INTEGER: u64 = 1 << 53;

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
    let importer = Importer::new(ctx, budget, Value::Nil);
    let built = importer.slot(0).deserialize(json);
    built.map_err(|error| importer.raise(&error))
}

/// Builds the Lua form of the JSON in `text`, with `null` in place of each null.
///
/// # Errors
/// As [`json_to_value`]; messages name the line and column, also where the text is no JSON.
pub(crate) fn json_text_to_value<'gc>(
    ctx: Context<'gc>,
    budget: &Budget,
    text: &[u8],
    null: Value<'gc>,
) -> Result<Value<'gc>, Raise<'gc>> {
    let importer = Importer::new(ctx, budget, null);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let built = importer.slot(0).deserialize(&mut reader);
    let whole = built.and_then(|value| reader.end().map(|()| value));
    whole.map_err(|error| importer.raise(&error))
}

/// An integer from outside: a float, as all numbers of Lua 5.1, unless it would lose digits.
pub(crate) fn import_integer<'gc>(integer: i64) -> Value<'gc> {
    if integer.unsigned_abs() <= MAX_EXACT_INTEGER {
        Value::Number(integer as f64)
    } else {
        Value::Integer(integer)
    }
}

/// The integer that a number is, where it is one that a float holds exactly.
pub(crate) fn exact_integer(float: f64) -> Option<i64> {
    (float.fract() == 0.0 && float.abs() <= MAX_EXACT_INTEGER as f64).then_some(float as i64)
}

struct Importer<'gc, 'a> {
    ctx: Context<'gc>,
    budget: &'a Budget,
    null: Value<'gc>,
    values: Cell<usize>,
    /// Why the reader was stopped, when it was not for what the text says.
    stopped: RefCell<Option<Raise<'gc>>>,
}

impl<'gc, 'a> Importer<'gc, 'a> {
    fn new(ctx: Context<'gc>, budget: &'a Budget, null: Value<'gc>) -> Self {
        Self { ctx, budget, null, values: Cell::new(0), stopped: RefCell::new(None) }
    }

    fn slot(&self, depth: usize) -> Slot<'gc, 'a, '_> {
        Slot { importer: self, depth }
    }

    fn raise(&self, error: &serde_json::Error) -> Raise<'gc> {
        self.stopped.borrow_mut().take().unwrap_or_else(|| Raise::Message(error.to_string()))
    }

    fn count<E: Error>(&self) -> Result<(), E> {
        let values = self.values.get() + 1;
        self.values.set(values);
        if values > MAX_JSON_VALUES {
            return Err(E::custom(ConvertError::TooLarge { limit: MAX_JSON_VALUES, unit: "values" }));
        }
        if values.is_multiple_of(VALUES_PER_CHECK) { self.ask(0) } else { Ok(()) }
    }

    fn ask<E: Error>(&self, bytes: usize) -> Result<(), E> {
        if self.budget.fits(self.ctx.metrics(), bytes) {
            return Ok(());
        }
        *self.stopped.borrow_mut() = Some(Raise::NeedMemory(bytes));
        Err(E::custom("out of memory"))
    }

    fn text<E: Error>(&self, text: &str) -> Result<Value<'gc>, E> {
        self.ask(text.len())?;
        let text = LuaString::from_slice(&self.ctx, text.as_bytes());
        self.budget.check_numeral(text, || None);
        Ok(text.into())
    }

    /// Sets a field whose key is neither nil nor NaN, which is all that could fail.
    fn set(&self, table: Table<'gc>, key: Value<'gc>, value: Value<'gc>) {
        let set = table.set_raw(&self.ctx, key, value);
        debug_assert!(set.is_ok(), "keys from JSON are text and positive integers");
    }
}

/// The place of one value.
#[derive(Clone, Copy)]
struct Slot<'gc, 'a, 'i> {
    importer: &'i Importer<'gc, 'a>,
    /// How many lists and objects are around it.
    depth: usize,
}

impl<'gc, 'a, 'i> Slot<'gc, 'a, 'i> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_RESULT_DEPTH {
            return Err(E::custom(ConvertError::TooDeep { limit: MAX_RESULT_DEPTH }));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de, 'gc> DeserializeSeed<'de> for Slot<'gc, '_, '_> {
    type Value = Value<'gc>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'gc>, D::Error> {
        self.importer.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de, 'gc> Visitor<'de> for Slot<'gc, '_, '_> {
    type Value = Value<'gc>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'gc>, E> {
        Ok(self.importer.null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value<'gc>, E> {
        Ok(Value::Boolean(flag))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Value<'gc>, E> {
        Ok(import_integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Value<'gc>, E> {
        Ok(i64::try_from(integer).map_or(Value::Number(integer as f64), import_integer))
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<Value<'gc>, E> {
        Ok(Value::Number(float))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'gc>, E> {
        self.importer.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'gc>, A::Error> {
        let (importer, inside) = (self.importer, self.inside()?);
        let table = Table::new(&importer.ctx);
        let mut index = 0;
        while let Some(item) = items.next_element_seed(inside)? {
            index += 1;
            importer.set(table, Value::Integer(index), item);
        }
        if index == 0 {
            set_mark(importer.ctx, table, Mark::List);
        }
        Ok(table.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value<'gc>, A::Error> {
        let (importer, inside) = (self.importer, self.inside()?);
        let table = Table::new(&importer.ctx);
        let mut count = 0;
        while let Some(name) = fields.next_key_seed(Name(self))? {
            count += 1;
            if count > MAX_JSON_FIELDS {
                let error = ConvertError::TooLarge { limit: MAX_JSON_FIELDS, unit: "fields in one object" };
                return Err(A::Error::custom(error));
            }
            let value = fields.next_value_seed(inside)?;
            importer.set(table, name, value);
        }
        Ok(table.into())
    }
}

/// The place of a field's name.
struct Name<'gc, 'a, 'i>(Slot<'gc, 'a, 'i>);

impl<'de, 'gc> DeserializeSeed<'de> for Name<'gc, '_, '_> {
    type Value = Value<'gc>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'gc>, D::Error> {
        deserializer.deserialize_str(self.0)
    }
}
