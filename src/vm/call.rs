//! One call of a native: its arguments, its results, and what it may use.
//!
//! The rules that every native must keep are methods here: errors get the caller's position,
//! memory is asked for before it is taken, work is charged by bytes and elements.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use piccolo::{
    Context, Error, Execution, Function, MetaMethod, Stack, StashedClosure, String as LuaString, Table, Value,
};

use piccolo::thread::VMError;

use crate::vm::budget::Budget;
use crate::vm::chosen::ChosenErrors;
use crate::vm::error::{Position, RunError};
use crate::vm::limits::{MAX_CALL_VALUES, MAX_STRING_BYTES};
use crate::vm::mark::mark;
use crate::vm::native::{Answer, Flow, Outcome, Raise};
use crate::vm::places::{Kind, Places};
use crate::vm::stdlib::pattern::Matcher;
use crate::vm::stdlib::random::Random;
use crate::vm::stdlib::text::number_text;

/// Allocations from this size on end the step, so that the collector gets its turn.
const INTERRUPT_FROM_BYTES: usize = 64 * 1024;

/// Bytes a native handles for one unit of fuel; a unit is about one VM instruction.
const BYTES_PER_FUEL: usize = 64;

/// Up to here the VM keeps a string's bytes in its object.
const MAX_INLINE_BYTES: usize = 256;

/// The longest text that is read as a number. Reading costs time in proportion, inside one
/// instruction, and no numeral a person writes is longer.
pub(crate) const MAX_NUMERAL_BYTES: usize = 512;

/// What the layer above gives to a machine for its natives.
pub(crate) trait Host: Any {
    /// Takes a line that the script printed, without its line end.
    fn print(&self, line: &[u8]);
}

/// What the machine and its natives share.
pub(crate) struct Shared {
    pub(crate) budget: Budget,
    /// The answer to the last request, between its arrival and the native's next turn.
    pub(crate) answer: RefCell<Option<Answer>>,
    /// What the layer above gave to its own natives.
    pub(crate) host: Rc<dyn Host>,
    /// Which error texts the script chose.
    pub(crate) chosen: RefCell<ChosenErrors>,
    /// A function whose one upvalue is the program's mark.
    pub(crate) mark: RefCell<Option<StashedClosure>>,
    /// What the mark means.
    pub(crate) places: Arc<Places>,
    /// The line of the statement of the tail call under way of a native (see [`crate::vm::stdlib`]): its function is gone from the
    /// VM's frames. For that native alone, and not for what it calls.
    pub(crate) tail_call: Cell<Option<u64>>,
    /// The generator behind `math.random`, made when it is first used.
    pub(crate) random: RefCell<Option<Random>>,
    /// The matcher of an earlier search, kept for its memory: at most some 10 KB.
    pub(crate) spare_matcher: Cell<Option<Matcher>>,
    /// Where short strings are put together.
    scratch: Cell<Vec<u8>>,
}

impl Shared {
    pub(crate) fn new(budget: Budget, host: Rc<dyn Host>, places: Arc<Places>) -> Self {
        Self {
            budget,
            answer: RefCell::new(None),
            host,
            chosen: RefCell::default(),
            mark: RefCell::new(None),
            places,
            tail_call: Cell::new(None),
            random: RefCell::new(None),
            spare_matcher: Cell::new(None),
            scratch: Cell::new(Vec::new()),
        }
    }
}

/// One call of a native. The stack holds its arguments, then its results.
pub(crate) struct Call<'gc, 'a> {
    pub(crate) ctx: Context<'gc>,
    pub(crate) exec: Execution<'gc, 'a>,
    pub(crate) stack: Stack<'gc, 'a>,
    pub(crate) shared: &'a Rc<Shared>,
    pub(crate) name: &'static str,
    /// The value bound to the native, nil for most.
    pub(crate) upvalue: Value<'gc>,
}

impl<'gc> Call<'gc, '_> {
    /// Makes the VM's error of a failure, with the calling line's position before a message.
    pub(crate) fn error(&mut self, raise: Raise<'gc>) -> Error<'gc> {
        let value = match raise {
            Raise::Message(message) => {
                let text = format!("{}{message}", self.position(1));
                LuaString::from_slice(&self.ctx, text.as_bytes()).into()
            }
            Raise::Value(value) => value,
            Raise::NotCallable(error) => return Error::from(VMError::from(error)),
            Raise::NeedMemory(wanted) => {
                let held = self.ctx.metrics().total_allocation();
                self.shared.budget.refuse_memory(held, wanted);
                self.exec.fuel().interrupt();
                Value::Nil
            }
            Raise::Ended => {
                self.exec.fuel().interrupt();
                Value::Nil
            }
        };
        // Not `Error::from_value`: that looks inside user data, which scripts never hold.
        Error::Lua(value.into())
    }

    /// `file:line: ` of the function that called this native for level 1, of that one's caller for
    /// level 2, and so on; nothing where that is no function of the script.
    pub(crate) fn position(&self, level: i64) -> String {
        let at = match (usize::try_from(level), self.caller_position()) {
            (Ok(1), at) => at,
            (Ok(level @ 2..), at) => {
                // A native that a native called is at level 0 of the mark, which knows no natives.
                let level = if at.is_some() { level - 1 } else { level - 2 };
                let places = &self.shared.places;
                let line = places.caller_line(mark(self.ctx, self.shared), level);
                line.map(|line| Position { script: places.script.clone(), line })
            }
            _ => None,
        };
        at.map(|at| format!("{at}: ")).unwrap_or_default()
    }

    /// The error `message` of an operation that this native does in the place of an operator, on operands of the types
    /// `found`: with the operation's own line, and behind it the name of operand `at`, if it is about one.
    pub(crate) fn operand_error(
        &mut self,
        method: MetaMethod,
        found: &[&str],
        at: Option<usize>,
        message: &str,
    ) -> Raise<'gc> {
        let (places, kind) = (&self.shared.places, Kind::Operator(method));
        let mark = mark(self.ctx, self.shared);
        let name = at.map(|at| places.name_of(mark, kind, found, at)).unwrap_or_default();
        let message = format!("{message}{name}");
        let line = self.calling_statement().and_then(|_| places.line_of(mark, kind, found));
        let Some(line) = line else { return Raise::Message(message) };
        let at = Position { script: places.script.clone(), line };
        match self.new_string(format!("{at}: {message}").as_bytes()) {
            Ok(text) => Raise::Value(text.into()),
            Err(raise) => raise,
        }
    }

    /// Where the calling function is, when it is a script's.
    fn caller_position(&self) -> Option<Position> {
        let places = &self.shared.places;
        let line = places.native_line(self.calling_statement()?, self.name);
        Some(Position { script: places.script.clone(), line })
    }

    /// The first line of the statement that calls this native, when it is a script's.
    fn calling_statement(&self) -> Option<u64> {
        match self.exec.upper_lua_frame() {
            Some(frame) => Some(frame.current_line.0 + 1),
            None => self.shared.tail_call.get(),
        }
    }

    pub(crate) fn want_collection(&mut self) {
        self.shared.budget.want_collection();
        self.exec.fuel().interrupt();
    }

    // ---- charging -------------------------------------------------------------------------

    /// Charges for handling `bytes` bytes.
    pub(crate) fn charge_bytes(&mut self, bytes: usize) {
        self.charge_units(bytes / BYTES_PER_FUEL);
    }

    /// Charges `units` of fuel.
    pub(crate) fn charge_units(&mut self, units: usize) {
        self.exec.fuel().consume(i32::try_from(units).unwrap_or(i32::MAX));
    }

    /// Asks for `bytes` of memory, to be called before taking them.
    pub(crate) fn ask_memory(&mut self, bytes: usize) -> Result<(), Raise<'gc>> {
        if !self.shared.budget.fits(self.ctx.metrics(), bytes) {
            return Err(Raise::NeedMemory(bytes));
        }
        if bytes >= INTERRUPT_FROM_BYTES {
            self.exec.fuel().interrupt();
        }
        Ok(())
    }

    /// Asks whether a string of `bytes` bytes may be made.
    pub(crate) fn ask_string(&mut self, bytes: usize) -> Result<(), Raise<'gc>> {
        if bytes > MAX_STRING_BYTES {
            return Err(self.over_limit("string", bytes, MAX_STRING_BYTES, "bytes"));
        }
        self.charge_bytes(bytes);
        self.ask_memory(bytes)
    }

    /// Ends the invocation for a value that is over a limit.
    pub(crate) fn over_limit(
        &mut self,
        what: &'static str,
        found: usize,
        limit: usize,
        unit: &'static str,
    ) -> Raise<'gc> {
        let at = self.caller_position();
        self.shared.budget.end(RunError::Value { what, found, limit, unit, at });
        Raise::Ended
    }

    /// Asks whether one call may return `count` values.
    pub(crate) fn ask_values(&mut self, count: usize) -> Result<(), Raise<'gc>> {
        if count > MAX_CALL_VALUES {
            return Err(self.over_limit("list of values", count, MAX_CALL_VALUES, "values"));
        }
        self.charge_units(count);
        self.ask_memory(count.saturating_mul(size_of::<Value<'_>>()))
    }

    // ---- results --------------------------------------------------------------------------

    /// Returns one value.
    pub(crate) fn give(&mut self, value: impl Into<Value<'gc>>) -> Outcome<'gc> {
        // In the place of the first argument: most have one, and then the stack need not be asked to grow.
        match self.stack[..].first_mut() {
            Some(first) => {
                *first = value.into();
                self.stack.resize(1);
            }
            None => self.stack.push_back(value.into()),
        }
        Ok(Flow::Return)
    }

    /// Returns several values: a few, for which nothing is asked.
    pub(crate) fn give_all<const N: usize>(&mut self, values: [Value<'gc>; N]) -> Outcome<'gc> {
        self.stack.clear();
        self.stack.extend(values);
        Ok(Flow::Return)
    }

    /// Returns no value.
    pub(crate) fn give_nothing(&mut self) -> Outcome<'gc> {
        self.stack.clear();
        Ok(Flow::Return)
    }

    /// Returns a new string of these bytes.
    pub(crate) fn give_bytes(&mut self, bytes: &[u8]) -> Outcome<'gc> {
        let value = self.new_string(bytes)?;
        self.give(value)
    }

    /// Makes a string, asking for it first.
    pub(crate) fn new_string(&mut self, bytes: &[u8]) -> Result<LuaString<'gc>, Raise<'gc>> {
        self.ask_string(bytes.len())?;
        let text = LuaString::from_slice(&self.ctx, bytes);
        self.shared.budget.check_numeral(text, || self.caller_position());
        Ok(text)
    }

    /// Makes a string of what `fill` appends, at most `bytes` bytes that were asked for.
    pub(crate) fn build_string(&self, bytes: usize, fill: impl FnOnce(&mut Vec<u8>)) -> LuaString<'gc> {
        if bytes > MAX_INLINE_BYTES {
            let mut buffer = Vec::with_capacity(bytes);
            fill(&mut buffer);
            return self.string_of(buffer);
        }
        let mut scratch = self.shared.scratch.take();
        scratch.clear();
        fill(&mut scratch);
        let string = LuaString::from_slice(&self.ctx, &scratch);
        self.shared.scratch.set(scratch);
        string
    }

    /// Makes a string of a buffer that was asked for before it was filled.
    pub(crate) fn string_of(&self, bytes: Vec<u8>) -> LuaString<'gc> {
        if bytes.len() <= MAX_INLINE_BYTES {
            return LuaString::from_slice(&self.ctx, &bytes);
        }
        let text = LuaString::from_buffer(&self.ctx, bytes.into_boxed_slice());
        self.shared.budget.check_numeral(text, || self.caller_position());
        text
    }

    /// Returns a buffer that was asked for before it was filled, as a string.
    pub(crate) fn give_buffer(&mut self, bytes: Vec<u8>) -> Outcome<'gc> {
        let string = self.string_of(bytes);
        self.give(string)
    }

    // ---- arguments ------------------------------------------------------------------------
    // Positions count from 1, as in messages.

    /// The number of arguments given.
    pub(crate) fn count(&self) -> usize {
        self.stack.len()
    }

    /// Argument `position`, nil when it was not given.
    pub(crate) fn value(&self, position: usize) -> Value<'gc> {
        self.stack.get(position - 1)
    }

    /// Argument `position`, which must have been given, be it nil.
    pub(crate) fn any(&self, position: usize) -> Result<Value<'gc>, Raise<'gc>> {
        if self.count() < position {
            return Err(self.bad_argument(position, "value expected"));
        }
        Ok(self.value(position))
    }

    /// Argument `position` as a table.
    pub(crate) fn table(&self, position: usize) -> Result<Table<'gc>, Raise<'gc>> {
        match self.value(position) {
            Value::Table(table) => Ok(table),
            _ => Err(self.wrong_type(position, "table")),
        }
    }

    /// Argument `position` as a function.
    pub(crate) fn function(&self, position: usize) -> Result<Function<'gc>, Raise<'gc>> {
        match self.value(position) {
            Value::Function(function) => Ok(function),
            _ => Err(self.wrong_type(position, "function")),
        }
    }

    /// Argument `position` as text; a number is converted, as in reference Lua.
    pub(crate) fn text(&mut self, position: usize) -> Result<LuaString<'gc>, Raise<'gc>> {
        match self.value(position) {
            Value::String(text) => Ok(text),
            value => match number_text(value) {
                Some(text) => self.new_string(text.as_bytes()),
                None => Err(self.wrong_type(position, "string")),
            },
        }
    }

    /// Argument `position` as a number; numeric text is converted, as in reference Lua.
    pub(crate) fn number(&self, position: usize) -> Result<f64, Raise<'gc>> {
        let value = self.value(position);
        match value {
            Value::Integer(n) => Ok(n as f64),
            Value::Number(n) => Ok(n),
            Value::String(text) if text.as_bytes().len() <= MAX_NUMERAL_BYTES => {
                value.to_number().ok_or_else(|| self.wrong_type(position, "number"))
            }
            _ => Err(self.wrong_type(position, "number")),
        }
    }

    /// Argument `position` as an integer; a float loses its fraction, as in reference Lua 5.1,
    /// and what lies outside the integers is cut to their ends.
    pub(crate) fn integer(&self, position: usize) -> Result<i64, Raise<'gc>> {
        match self.value(position) {
            Value::Integer(n) => Ok(n),
            _ => Ok(self.number(position)? as i64),
        }
    }

    /// Argument `position` as an integer, or `default` when it is nil or was not given.
    pub(crate) fn integer_or(&self, position: usize, default: i64) -> Result<i64, Raise<'gc>> {
        if self.value(position).is_nil() { Ok(default) } else { self.integer(position) }
    }

    /// What the layer above gave to its natives.
    pub(crate) fn host<T: 'static>(&self) -> Result<&T, Raise<'gc>> {
        let shared: &Rc<Shared> = self.shared;
        let host: &dyn Any = &*shared.host;
        host.downcast_ref().ok_or_else(|| {
            shared.budget.end(RunError::Internal { detail: format!("{} has no host", self.name) });
            Raise::Ended
        })
    }

    /// `bad argument #1 to 'rep' (number expected, got nil)`.
    pub(crate) fn wrong_type(&self, position: usize, expected: &str) -> Raise<'gc> {
        let found = if self.count() < position { "no value" } else { self.value(position).type_name() };
        self.bad_argument(position, &format!("{expected} expected, got {found}"))
    }

    /// `bad argument #2 to 'format' (…)`.
    pub(crate) fn bad_argument(&self, position: usize, problem: &str) -> Raise<'gc> {
        let name = self.name;
        let is_method = self.calling_statement().is_some_and(|line| self.shared.places.is_method(line, name));
        Raise::Message(match position - usize::from(is_method) {
            0 => format!("calling '{name}' on bad self ({problem})"),
            position => format!("bad argument #{position} to '{name}' ({problem})"),
        })
    }
}
