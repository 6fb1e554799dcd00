//! `table.sort`: a merge sort that can pause at every comparison.
//!
//! Reference Lua's quicksort trusts the comparator to be consistent and reports, or worse, when
//! it is not. Merging asks each question once and keeps no conclusion, so any answers lead to
//! some order of the same elements, in at most `n log n` questions. The elements are copied out,
//! sorted, and written back at the end: a comparator that changes the table changes nothing.

use std::cmp::Ordering;

use ottavino_gc_arena::Collect;
use ottavino_gc_arena::metrics::Metrics;
use piccolo::meta_ops::{self, MetaResult};
use piccolo::{Context, Function, Table, Value};

use crate::vm::call::Call;
use crate::vm::native::{Native, Outcome, Raise};
use crate::vm::task::{Task, Turn, go_on};

/// Fuel for a call; every comparison is charged besides.
const CALL: i32 = 8;

/// Comparisons without a call between two looks at the limits.
const COMPARISONS_PER_TURN: usize = 256;

/// Bytes of text compared for one more comparison's price.
const BYTES_PER_COMPARISON: usize = 256;

pub(super) const SORT: Native = Native { name: "sort", fuel: CALL, run: sort };

fn sort<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let table = call.table(1)?;
    let comparator = if call.value(2).is_nil() { None } else { Some(call.function(2)?) };
    let length = usize::try_from(table.length()).unwrap_or(usize::MAX);
    let bytes = length.saturating_mul(2 * size_of::<Value<'_>>());
    call.ask_memory(bytes)?;
    call.charge_units(length);
    let metrics = call.ctx.metrics().clone();
    metrics.mark_external_allocation(bytes);
    let items: Vec<_> = (1_i64..).take(length).map(|index| table.get_raw(Value::Integer(index))).collect();
    let sorting = Sorting {
        table,
        comparator,
        merged: Vec::with_capacity(items.len()),
        items,
        width: 1,
        left: 0,
        right: 1,
        start: 0,
        asked: false,
        counted: Counted { metrics, bytes },
    };
    call.stack.clear();
    Ok(go_on(call, sorting))
}

/// Memory of the copies, counted as the VM's while they exist.
struct Counted {
    metrics: Metrics,
    bytes: usize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.mark_external_deallocation(self.bytes);
    }
}

/// A sort under way: runs of `width` elements are merged in pairs from `items` into `merged`.
#[derive(Collect)]
#[collect(no_drop)]
struct Sorting<'gc> {
    table: Table<'gc>,
    comparator: Option<Function<'gc>>,
    items: Vec<Value<'gc>>,
    merged: Vec<Value<'gc>>,
    width: usize,
    /// Where the pair of runs under way starts.
    start: usize,
    /// The next element of the left run, and of the right one.
    left: usize,
    right: usize,
    /// Whether the answer about `right` and `left` lies on the stack.
    asked: bool,
    #[collect(require_static)]
    #[expect(dead_code, reason = "held for its drop")]
    counted: Counted,
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
        if std::mem::take(&mut self.asked) {
            let right_first = call.stack.get(0).to_bool();
            call.stack.clear();
            self.take(right_first);
        }
        let mut left_in_turn = COMPARISONS_PER_TURN;
        while self.width < self.items.len() {
            let (Some(left), Some(right)) = (self.next_left(), self.next_right()) else {
                self.finish_pair();
                continue;
            };
            match compare(call.ctx, self.comparator, right, left)? {
                Compared::Known { less, cost } => {
                    self.take(less);
                    call.charge_units(cost);
                    match left_in_turn.checked_sub(cost) {
                        Some(rest) if rest > 0 => left_in_turn = rest,
                        _ => return Ok(None),
                    }
                }
                Compared::Ask(function) => {
                    self.asked = true;
                    call.charge_units(1);
                    call.stack.clear();
                    call.stack.extend([right, left]);
                    return Ok(Some(function));
                }
            }
        }
        Ok(None)
    }

    fn left_end(&self) -> usize {
        (self.start + self.width).min(self.items.len())
    }

    fn right_end(&self) -> usize {
        (self.start + 2 * self.width).min(self.items.len())
    }

    fn next_left(&self) -> Option<Value<'gc>> {
        if self.left < self.left_end() { self.items.get(self.left).copied() } else { None }
    }

    fn next_right(&self) -> Option<Value<'gc>> {
        if self.right < self.right_end() { self.items.get(self.right).copied() } else { None }
    }

    fn take(&mut self, right_first: bool) {
        let index = if right_first { &mut self.right } else { &mut self.left };
        self.merged.extend(self.items.get(*index));
        *index += 1;
    }

    /// One run of the pair is used up: the rest of the other follows, then the next pair; after
    /// the last pair the merged elements are the items of the next, wider round.
    fn finish_pair(&mut self) {
        self.merged.extend_from_slice(self.items.get(self.left..self.left_end()).unwrap_or_default());
        self.merged.extend_from_slice(self.items.get(self.right..self.right_end()).unwrap_or_default());
        self.start = self.right_end();
        if self.start >= self.items.len() {
            std::mem::swap(&mut self.items, &mut self.merged);
            self.merged.clear();
            self.width *= 2;
            self.start = 0;
        }
        self.left = self.start;
        self.right = self.left_end();
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

fn compare<'gc>(
    ctx: Context<'gc>,
    comparator: Option<Function<'gc>>,
    a: Value<'gc>,
    b: Value<'gc>,
) -> Result<Compared<'gc>, Raise<'gc>> {
    if let Some(function) = comparator {
        return Ok(Compared::Ask(function));
    }
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
            Err(_) => {
                let (a, b) = (a.type_name(), b.type_name());
                Err(Raise::Message(if a == b {
                    format!("attempt to compare two {a} values")
                } else {
                    format!("attempt to compare {a} with {b}")
                }))
            }
        },
    }
}
