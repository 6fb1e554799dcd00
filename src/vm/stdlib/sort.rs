//! `table.sort`: a merge sort that can pause at every comparison.
//!
//! Reference Lua's quicksort trusts the comparator to be consistent and reports, or worse, when
//! it is not. Merging asks each question once and keeps no conclusion, so any answers lead to
//! some order of the same elements, in at most `n log n` questions. The elements are copied out,
//! sorted, and written back at the end: a comparator that changes the table changes nothing.

use std::cmp::Ordering;

use ottavino_gc_arena::Collect;
use piccolo::meta_ops::{self, MetaResult};
use piccolo::{Closure, Context, Function, Table, Value};

use super::comparator::{Answer, Comparator, closed_upvalues, upvalue_reader};
use crate::vm::call::Call;
use crate::vm::counted::Counted;
use crate::vm::native::{Flow, Native, Outcome, Raise};
use crate::vm::task::{self, Task, Turn};
use crate::vm::vm_error::comparison_message;

/// Fuel for a call; every comparison is charged besides.
const CALL: i32 = 8;

/// What is done without a call between two looks at the limits, in comparisons or instructions of a comparator.
const WORK_PER_TURN: usize = 256;

/// The shortest list for which a comparator is prepared to be followed. That takes as long as what it saves in
/// some 250 comparisons; a list of 64 elements takes 300.
const FOLLOW_FROM: usize = 64;

/// Bytes of text compared for one more comparison's price.
const BYTES_PER_COMPARISON: usize = 256;

pub(super) const SORT: Native = Native { name: "sort", fuel: CALL, run: sort };

fn sort<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let comparator = if call.value(2).is_nil() { None } else { Some(call.function(2)?) };
    let length = usize::try_from(table.length()).unwrap_or(usize::MAX);
    let followed = match comparator {
        Some(Function::Closure(closure)) if length >= FOLLOW_FROM => {
            Comparator::bytes(closure).map(|bytes| (closure, bytes))
        }
        _ => None,
    };
    let bytes = length
        .saturating_mul(2 * size_of::<Value<'_>>())
        .saturating_add(followed.map_or(0, |(_, bytes)| bytes));
    call.ask_memory(bytes)?;
    call.charge_units(length);
    let counted = Counted::new(call.ctx.metrics(), bytes);
    let items: Vec<_> = (1_i64..).take(length).map(|index| table.get_raw(Value::Integer(index))).collect();
    let mut sorting = Sorting {
        table,
        comparator,
        followed: None,
        merged: Vec::with_capacity(items.len()),
        items,
        width: 1,
        left: 0,
        middle: 0,
        right: 0,
        end: 0,
        asked: Asked::Nothing,
        counted,
    };
    sorting.begin_pair(0);
    call.stack.clear();
    if let Some((closure, _)) = followed {
        if let Some(upvalues) = closed_upvalues(closure) {
            sorting.followed = Some(Comparator::new(call, closure, upvalues));
        } else if let Some(reader) = upvalue_reader(call.ctx, closure) {
            sorting.asked = Asked::Upvalues(closure);
            return Ok(Flow::Call { function: reader.into(), then: Some(task::sequence(call, sorting)) });
        }
    }
    Ok(task::go_on(call, sorting))
}

/// A sort under way: runs of `width` elements are merged in pairs from `items` into `merged`.
#[derive(Collect)]
#[collect(no_drop)]
struct Sorting<'gc> {
    table: Table<'gc>,
    comparator: Option<Function<'gc>>,
    /// The comparator, as long as it has not had to be called.
    followed: Option<Comparator<'gc>>,
    items: Vec<Value<'gc>>,
    merged: Vec<Value<'gc>>,
    width: usize,
    /// The next element of the left run of the pair under way, and where that run ends.
    left: usize,
    middle: usize,
    /// The next element of the right run, and where that ends.
    right: usize,
    end: usize,
    asked: Asked<'gc>,
    /// The memory of the copies.
    #[collect(require_static)]
    #[expect(dead_code, reason = "held for its drop")]
    counted: Counted,
}

/// What the stack holds when the next turn begins.
#[derive(Default, Collect)]
#[collect(no_drop)]
enum Asked<'gc> {
    #[default]
    Nothing,
    /// The answer about `right` and `left`.
    Order,
    /// The upvalues of this comparator.
    Upvalues(Closure<'gc>),
}

impl<'gc> Task<'gc> for Sorting<'gc> {
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        match self.merge(call)? {
            Some(function) => Ok(Turn::Call { bottom: 0, function }),
            None if self.width < self.items.len() => Ok(Turn::Pause),
            None => {
                self.write_back(call);
                Ok(Turn::Return)
            }
        }
    }
}

impl<'gc> Sorting<'gc> {
    /// Merges until a function must be asked, the turn is over or everything is sorted.
    fn merge(&mut self, call: &mut Call<'gc, '_>) -> Result<Option<Function<'gc>>, Raise<'gc>> {
        self.hear(call);
        let mut work = 0;
        while self.width < self.items.len() && work < WORK_PER_TURN {
            let (Some(left), Some(right)) = (self.next_left(), self.next_right()) else {
                self.finish_pair();
                continue;
            };
            match self.compare(call, right, left)? {
                Compared::Known { less, cost } => {
                    self.take(less);
                    call.charge_units(cost);
                    work += cost;
                }
                Compared::Ask(function) => {
                    self.asked = Asked::Order;
                    call.charge_units(1);
                    call.stack.clear();
                    call.stack.extend([right, left]);
                    return Ok(Some(function));
                }
            }
        }
        Ok(None)
    }

    /// Takes what was asked for from the stack.
    fn hear(&mut self, call: &mut Call<'gc, '_>) {
        match std::mem::take(&mut self.asked) {
            Asked::Nothing => return,
            Asked::Order => {
                let right_first = call.stack.get(0).to_bool();
                self.take(right_first);
            }
            Asked::Upvalues(closure) => {
                let upvalues = call.stack.into_iter().collect();
                self.followed = Some(Comparator::new(call, closure, upvalues));
            }
        }
        call.stack.clear();
    }

    fn compare(
        &mut self,
        call: &Call<'gc, '_>,
        a: Value<'gc>,
        b: Value<'gc>,
    ) -> Result<Compared<'gc>, Raise<'gc>> {
        let Some(function) = self.comparator else { return compare(call.ctx, a, b) };
        let answer = self.followed.as_mut().and_then(|comparator| comparator.answer(a, b));
        Ok(match answer {
            Some(Answer { less, cost }) => Compared::Known { less, cost },
            None => {
                // It may have changed anything once it has been called.
                self.followed = None;
                Compared::Ask(function)
            }
        })
    }

    fn next_left(&self) -> Option<Value<'gc>> {
        self.items.get(self.left).filter(|_| self.left < self.middle).copied()
    }

    fn next_right(&self) -> Option<Value<'gc>> {
        self.items.get(self.right).filter(|_| self.right < self.end).copied()
    }

    fn take(&mut self, right_first: bool) {
        let index = if right_first { &mut self.right } else { &mut self.left };
        if let Some(item) = self.items.get(*index) {
            self.merged.push(*item);
        }
        *index += 1;
    }

    /// One run of the pair is used up: the rest of the other follows, then the next pair; after
    /// the last pair the merged elements are the items of the next, wider round.
    fn finish_pair(&mut self) {
        self.merged.extend_from_slice(self.items.get(self.left..self.middle).unwrap_or_default());
        self.merged.extend_from_slice(self.items.get(self.right..self.end).unwrap_or_default());
        if self.end < self.items.len() {
            self.begin_pair(self.end);
        } else {
            std::mem::swap(&mut self.items, &mut self.merged);
            self.merged.clear();
            self.width *= 2;
            self.begin_pair(0);
        }
    }

    fn begin_pair(&mut self, start: usize) {
        let length = self.items.len();
        self.left = start;
        self.middle = (start + self.width).min(length);
        self.right = self.middle;
        self.end = (start + 2 * self.width).min(length);
    }

    fn write_back(&self, call: &Call<'gc, '_>) {
        for (index, value) in (1_i64..).zip(&self.items) {
            let set = self.table.set_raw(&call.ctx, Value::Integer(index), *value);
            debug_assert!(set.is_ok(), "an integer is always a valid key");
        }
    }
}

/// What is known of `a < b`.
enum Compared<'gc> {
    Known { less: bool, cost: usize },
    Ask(Function<'gc>),
}

/// Compares as `<` does.
fn compare<'gc>(ctx: Context<'gc>, a: Value<'gc>, b: Value<'gc>) -> Result<Compared<'gc>, Raise<'gc>> {
    let known = |less| Ok(Compared::Known { less, cost: 1 });
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => known(a < b),
        (Value::Number(a), Value::Number(b)) => known(a < b),
        (Value::String(a), Value::String(b)) => {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let cost = 1 + a.len().min(b.len()) / BYTES_PER_COMPARISON;
            Ok(Compared::Known { less: a.cmp(b) == Ordering::Less, cost })
        }
        _ => match meta_ops::less_than(ctx, a, b) {
            Ok(MetaResult::Value(value)) => known(value.to_bool()),
            Ok(MetaResult::Call(call)) => Ok(Compared::Ask(call.function)),
            Err(_) => Err(Raise::Message(comparison_message(a.type_name(), b.type_name()))),
        },
    }
}
