//! Comparators of `table.sort` that are followed here and not called.
//!
//! A call takes the VM through a frame, its loop and back, which is several times what a usual
//! comparator does in it: read a field of two records and compare. So those of the comparator's
//! instructions that change nothing but its own variables are followed, as steps of a list made for
//! it. At whatever else it comes to (a call, a metamethod, an error, another instruction, too many
//! of them) it is left without a trace, and the VM is asked the same question from its beginning.
//! So what the VM says about errors, metamethods and lines is said by it alone.
//!
//! The alternative, fewer questions, is none: merging is within a tenth of the least there can be.

mod decode;
mod steps;
mod upvalues;

use ottavino_gc_arena::{Collect, Gc};
use piccolo::{Closure, Constant, String as LuaString, Value};

use crate::vm::call::Call;
use crate::vm::mark::mark_upvalue;

use decode::decode;
use steps::{Action, Calculation, Layout, Place, Relation, Step, Steps, Target, fixed_values};
pub(super) use upvalues::{closed_upvalues, upvalue_reader};

/// The longest comparator that is followed, in instructions, and the most steps that are taken for one
/// answer. One that takes more is worth a call.
const MAX_STEPS: usize = 64;

/// Fuel for each instruction of a comparator that is prepared: to read it takes as long as the VM takes for so many.
const PREPARING: usize = 64;

/// Bytes of text compared for one more step's price.
const BYTES_PER_STEP: usize = 256;

/// The most bytes of text that are compared for one answer. More of it is left to the VM, which looks at the
/// clock now and then.
const MAX_COMPARED_BYTES: usize = 64 * 1024;

/// What a comparator says without being called.
pub(super) struct Answer {
    pub(super) less: bool,
    /// The work that it took, in steps.
    pub(super) cost: usize,
}

/// A comparator that is followed.
#[derive(Collect)]
#[collect(no_drop)]
pub(super) struct Comparator<'gc> {
    #[collect(require_static)]
    steps: Vec<Step>,
    first: Target,
    /// Its registers, upvalues and constants. Nobody changes the upvalues while it is followed: nothing else
    /// runs, and it has no step that does.
    values: Vec<Value<'gc>>,
    parameters: usize,
}

impl<'gc> Comparator<'gc> {
    /// The memory that `closure` takes as a comparator to follow, in bytes; nothing when it is not to be followed:
    /// it is too long, or a text in it is.
    pub(super) fn bytes(closure: Closure<'gc>) -> Option<usize> {
        let prototype = closure.prototype();
        let is_short = |constant: &Constant<LuaString<'_>>| match constant {
            Constant::String(text) => text.as_bytes().len() <= BYTES_PER_STEP,
            _ => true,
        };
        if !prototype.constants.iter().all(is_short) {
            return None;
        }
        let operations = prototype.opcodes.len();
        let bytes =
            2 * operations * size_of::<Step>() + Layout::of(closure).values() * size_of::<Value<'_>>();
        (operations <= MAX_STEPS).then_some(bytes)
    }

    /// A comparator whose upvalues have these values.
    pub(super) fn new(call: &mut Call<'gc, '_>, closure: Closure<'gc>, upvalues: Vec<Value<'gc>>) -> Self {
        let prototype = closure.prototype();
        let layout = Layout::of(closure);
        let mut values = Vec::with_capacity(layout.values());
        values.resize(layout.registers, Value::Nil);
        values.extend(upvalues);
        values.resize(layout.registers + layout.upvalues, Value::Nil);
        values.extend(prototype.constants.iter().map(|constant| Value::from(*constant)));
        values.extend(fixed_values());
        let operations: Vec<_> = prototype.opcodes.iter().map(|code| decode(*code)).collect();
        call.charge_units(operations.len() * PREPARING);
        let mark = mark_upvalue(call.ctx, call.shared).and_then(|mark| {
            closure.upvalues().iter().position(|upvalue| Gc::ptr_eq(upvalue.into_inner(), mark.into_inner()))
        });
        let steps = Steps::new(&layout, &operations, mark);
        Self {
            first: steps.target(0),
            steps: steps.make(),
            values,
            parameters: prototype.fixed_params.into(),
        }
    }

    /// Whether `left` comes before `right`; nothing when the comparator must be called to know, and then it
    /// is not to be followed again.
    pub(super) fn answer(&mut self, left: Value<'gc>, right: Value<'gc>) -> Option<Answer> {
        // The other registers keep what they hold: a function sets its variables before it reads them. Through an
        // iterator over both arguments this took a tenth of a sort's time.
        let parameters = self.values.get_mut(..self.parameters)?;
        if let Some(first) = parameters.first_mut() {
            *first = left;
        }
        if let Some(second) = parameters.get_mut(1) {
            *second = right;
        }
        if let Some(missing) = parameters.get_mut(2..) {
            missing.fill(Value::Nil);
        }
        let mut walk = Walk { values: &mut self.values, compared: 0 };
        let mut at = self.first;
        for taken in 1..=MAX_STEPS {
            let Step { action, next, otherwise } = *self.steps.get(usize::from(at))?;
            if let Action::Return { value } = action {
                let less = walk.value(value)?.to_bool();
                return Some(Answer { less, cost: taken + walk.compared / BYTES_PER_STEP });
            }
            at = if walk.step(action)? { next } else { otherwise };
        }
        None
    }
}

/// One way through a comparator. Every `None` is a reason to call it.
///
/// The VM's functions for operations are not called: they are a part of its loop as long as nobody
/// else does (see [`decode`]).
struct Walk<'gc, 'a> {
    values: &'a mut [Value<'gc>],
    /// Bytes of text compared.
    compared: usize,
}

impl<'gc> Walk<'gc, '_> {
    /// Takes a step; the answer of a question, yes for others.
    // Each arm sets its own value: one joined from all arms was put together byte by byte, and that
    // took a quarter of a sort's time.
    #[inline]
    fn step(&mut self, action: Action) -> Option<bool> {
        match action {
            Action::Copy { dest, source } => self.set(dest, self.value(source)?),
            Action::Clear { first, count } => {
                let first = usize::from(first);
                self.values.get_mut(first..first + usize::from(count))?.fill(Value::Nil);
                Some(true)
            }
            Action::Field { dest, table, key } => {
                self.set(dest, field(self.value(table)?, self.value(key)?)?)
            }
            Action::Index { dest, table, key } => {
                let key = self.value(key)?;
                // One that is there as another string of the same bytes is compared to its end.
                if let Value::String(key) = key {
                    self.count_compared(key.as_bytes().len())?;
                }
                self.set(dest, field(self.value(table)?, key)?)
            }
            Action::Calculate { dest, left, right, calculation } => {
                let value = calculate(calculation, self.value(left)?, self.value(right)?)?;
                self.set(dest, value)
            }
            Action::Not { dest, source } => self.set(dest, Value::Boolean(!self.value(source)?.to_bool())),
            Action::Length { dest, source } => {
                let length = length(self.value(source)?)?;
                self.set(dest, Value::Integer(length))
            }
            Action::IsTrue { value } => Some(self.value(value)?.to_bool()),
            Action::Holds { left, right, relation } => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                if let (Value::String(left), Value::String(right)) = (left, right) {
                    self.count_compared(left.as_bytes().len().min(right.as_bytes().len()))?;
                }
                holds(relation, left, right)
            }
            Action::Return { .. } | Action::Call => None,
        }
    }

    /// Counts bytes of text that are compared.
    fn count_compared(&mut self, bytes: usize) -> Option<()> {
        self.compared += bytes;
        (self.compared <= MAX_COMPARED_BYTES).then_some(())
    }

    fn set(&mut self, dest: Place, value: Value<'gc>) -> Option<bool> {
        *self.values.get_mut(usize::from(dest))? = value;
        Some(true)
    }

    fn value(&self, place: Place) -> Option<Value<'gc>> {
        self.values.get(usize::from(place)).copied()
    }
}

fn field<'gc>(table: Value<'gc>, key: Value<'gc>) -> Option<Value<'gc>> {
    let Value::Table(table) = table else { return None };
    let value = table.get_raw(key);
    (!value.is_nil() || table.metatable().is_none()).then_some(value)
}

fn length(value: Value<'_>) -> Option<i64> {
    match value {
        Value::String(text) => Some(text.len()),
        Value::Table(table) if table.metatable().is_none() => Some(table.length()),
        _ => None,
    }
}

/// Calculates as the VM does with numbers. To read numbers from text may take long.
fn calculate<'gc>(calculation: Calculation, left: Value<'gc>, right: Value<'gc>) -> Option<Value<'gc>> {
    if let (Value::Integer(left), Value::Integer(right)) = (left, right) {
        let integer = match calculation {
            Calculation::Add => left.wrapping_add(right),
            Calculation::Subtract => left.wrapping_sub(right),
            Calculation::Multiply => left.wrapping_mul(right),
            Calculation::Divide => return Some(Value::Number(left as f64 / right as f64)),
            Calculation::Or => left | right,
            Calculation::ShiftLeft => left.checked_shl(u32::try_from(right).ok()?)?,
        };
        return Some(Value::Integer(integer));
    }
    let (left, right) = (float(left)?, float(right)?);
    let number = match calculation {
        Calculation::Add => left + right,
        Calculation::Subtract => left - right,
        Calculation::Multiply => left * right,
        Calculation::Divide => left / right,
        Calculation::Or | Calculation::ShiftLeft => return None,
    };
    Some(Value::Number(number))
}

/// Compares as the VM does where there is no metamethod.
#[inline]
fn holds<'gc>(relation: Relation, left: Value<'gc>, right: Value<'gc>) -> Option<bool> {
    Some(match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => relation.holds(&left, &right),
        (Value::Integer(_) | Value::Number(_), Value::Integer(_) | Value::Number(_)) => {
            relation.holds(&float(left)?, &float(right)?)
        }
        (Value::String(left), Value::String(right)) => relation.holds(left.as_bytes(), right.as_bytes()),
        _ if !matches!(relation, Relation::Equal) => return None,
        (Value::Nil, Value::Nil) => true,
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::Table(left), Value::Table(right)) if left == right => true,
        _ if left.type_name() == right.type_name() => return None,
        _ => false,
    })
}

fn float(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Integer(integer) => Some(integer as f64),
        Value::Number(number) => Some(number),
        _ => None,
    }
}
