//! `find`, `match` and `gmatch`: the pattern matcher as natives that can pause.
//!
//! A match is tried in place first, for a batch of steps, which is all that ordinary patterns
//! need. One that goes on becomes a sequence, so that a hostile pattern takes its turns like any
//! other code and meets the deadline.

use ottavino_gc_arena::Collect;
use piccolo::{String as LuaString, Table, Value};

use super::pattern::{Capture, Caret, Matcher, PatternError, Progress, Search, find_plain, has_specials};
use super::string::offset;
use crate::vm::call::Call;
use crate::vm::native::{Flow, Native, Outcome, Raise};
use crate::vm::task::{Task, Turn, go_on};

/// Fuel for a call; steps of the matcher are charged besides.
const CALL: i32 = 4;

/// Steps of the matcher between two looks at the limits: some 20 µs.
pub(super) const STEPS_PER_TURN: u32 = 4_096;

/// Steps of the matcher for one unit of fuel.
const STEPS_PER_FUEL: u32 = 8;

pub(super) const FIND: Native = Native { name: "find", fuel: CALL, run: find };
pub(super) const MATCH: Native = Native { name: "match", fuel: CALL, run: match_ };
pub(super) const GMATCH: Native = Native { name: "gmatch", fuel: CALL, run: gmatch };
static GMATCH_STEP: Native = Native { name: "gmatch", fuel: CALL, run: gmatch_step };

fn find<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (subject, pattern) = (call.text(1)?, call.text(2)?);
    let init = start_offset(call, subject)?;
    let plain = call.value(4).to_bool() || !has_specials(pattern.as_bytes());
    if !plain {
        return run(call, Matching::new(subject, pattern, init, Caret::Anchor, Wanted::Find));
    }
    call.charge_bytes(subject.as_bytes().len().saturating_add(pattern.as_bytes().len()));
    match find_plain(subject.as_bytes(), pattern.as_bytes(), init) {
        Some(start) => {
            let end = start + pattern.as_bytes().len();
            call.give_all([position(start + 1), position(end)])
        }
        None => call.give(Value::Nil),
    }
}

fn match_<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (subject, pattern) = (call.text(1)?, call.text(2)?);
    let init = start_offset(call, subject)?;
    run(call, Matching::new(subject, pattern, init, Caret::Anchor, Wanted::Captures))
}

/// The third argument as an offset; behind the end it means the end, as in reference Lua 5.1.
fn start_offset<'gc>(call: &Call<'gc, '_>, subject: LuaString<'gc>) -> Result<usize, Raise<'gc>> {
    let init = offset(subject.as_bytes(), call.integer_or(3, 1)?).max(1) - 1;
    Ok(usize::try_from(init).unwrap_or(usize::MAX).min(subject.as_bytes().len()))
}

/// `gmatch` returns a native whose upvalue holds the subject, the pattern and where to go on.
fn gmatch<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (subject, pattern) = (call.text(1)?, call.text(2)?);
    let state = Table::new(&call.ctx);
    for (index, value) in (1_i64..).zip([subject.into(), pattern.into(), Value::Integer(0)]) {
        set_state(call, state, index, value);
    }
    let step = GMATCH_STEP.bind_with(call.ctx, call.shared, state.into());
    call.give(step)
}

fn set_state<'gc>(call: &Call<'gc, '_>, state: Table<'gc>, index: i64, value: Value<'gc>) {
    let set = state.set_raw(&call.ctx, Value::Integer(index), value);
    debug_assert!(set.is_ok(), "an integer is always a valid key");
}

fn gmatch_step<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let Value::Table(state) = call.upvalue else { return call.give(Value::Nil) };
    let field = |index| state.get_raw(Value::Integer(index));
    let (Value::String(subject), Value::String(pattern), Value::Integer(next)) =
        (field(1), field(2), field(3))
    else {
        return call.give(Value::Nil);
    };
    let next = usize::try_from(next).unwrap_or(usize::MAX);
    run(call, Matching::new(subject, pattern, next, Caret::Literal, Wanted::Next(state)))
}

/// What is wanted of a match.
#[derive(Copy, Clone, Collect)]
#[collect(no_drop)]
enum Wanted<'gc> {
    /// Its place, then its captures.
    Find,
    /// Its captures.
    Captures,
    /// Its captures, and the place to go on written down in a `gmatch`'s state.
    Next(Table<'gc>),
}

/// What a batch of steps came to.
enum Found {
    NotYet,
    Match,
    Nothing,
}

/// A match under way.
#[derive(Collect)]
#[collect(no_drop)]
struct Matching<'gc> {
    subject: LuaString<'gc>,
    pattern: LuaString<'gc>,
    wanted: Wanted<'gc>,
    #[collect(require_static)]
    search: Search,
}

impl<'gc> Matching<'gc> {
    fn new(
        subject: LuaString<'gc>,
        pattern: LuaString<'gc>,
        init: usize,
        caret: Caret,
        wanted: Wanted<'gc>,
    ) -> Self {
        let search = Search::new(pattern.as_bytes(), init, caret);
        Self { subject, pattern, wanted, search }
    }

    /// Goes on for a batch of steps.
    fn search_on(&mut self, call: &mut Call<'gc, '_>) -> Result<Found, Raise<'gc>> {
        match advance(call, &mut self.search, self.subject, self.pattern) {
            Progress::OutOfSteps => Ok(Found::NotYet),
            Progress::Failed => Ok(Found::Nothing),
            Progress::Matched => Ok(Found::Match),
            Progress::Error(error) => Err(pattern_error(error)),
        }
    }

    fn give(&self, call: &mut Call<'gc, '_>) -> Outcome<'gc> {
        let found = self.search.found();
        let mut values = Vec::new();
        let captures = match self.wanted {
            Wanted::Find => {
                values.extend([position(found.start() + 1), position(found.end())]);
                found.capture_count()
            }
            Wanted::Captures | Wanted::Next(_) => found.value_count(),
        };
        for index in 0..captures {
            values.push(capture_value(call, self.subject, found, index)?);
        }
        let given = {
            call.ask_values(values.len())?;
            call.stack.clear();
            call.stack.extend(values);
            Flow::Return
        };
        // Only now: a retry for want of memory must find this match again.
        if let Wanted::Next(state) = self.wanted {
            set_state(call, state, 3, position(next_start(found)));
        }
        Ok(given)
    }
}

/// Where a search goes on after a match: at its end, and behind an empty one.
pub(super) fn next_start(found: &Matcher) -> usize {
    if found.end() > found.start() { found.end() } else { found.end() + 1 }
}

/// Runs a search for a batch of steps and charges for them.
pub(super) fn advance<'gc>(
    call: &mut Call<'gc, '_>,
    search: &mut Search,
    subject: LuaString<'gc>,
    pattern: LuaString<'gc>,
) -> Progress {
    let mut steps = STEPS_PER_TURN;
    let progress = search.advance(subject.as_bytes(), pattern.as_bytes(), &mut steps);
    call.charge_units(((STEPS_PER_TURN - steps) / STEPS_PER_FUEL) as usize);
    progress
}

pub(super) fn pattern_error<'gc>(error: PatternError) -> Raise<'gc> {
    Raise::Message(error.to_string())
}

fn position<'gc>(offset: usize) -> Value<'gc> {
    Value::Integer(offset as i64)
}

/// Capture `index` of a match as a value, counted from 0.
pub(super) fn capture_value<'gc>(
    call: &mut Call<'gc, '_>,
    subject: LuaString<'gc>,
    found: &Matcher,
    index: usize,
) -> Result<Value<'gc>, Raise<'gc>> {
    match found.capture(index).map_err(pattern_error)? {
        Capture::Position(at) => Ok(position(at)),
        Capture::Slice(start, end) => {
            let bytes = subject.as_bytes().get(start..end).unwrap_or_default();
            Ok(call.new_string(bytes)?.into())
        }
    }
}

fn run<'gc>(call: &mut Call<'gc, '_>, mut matching: Matching<'gc>) -> Outcome<'gc> {
    match matching.search_on(call)? {
        Found::Nothing => call.give(Value::Nil),
        Found::Match => matching.give(call),
        Found::NotYet => Ok(go_on(call, PausedMatch { matching, found: false })),
    }
}

/// A match that needs more than one batch.
#[derive(Collect)]
#[collect(no_drop)]
struct PausedMatch<'gc> {
    matching: Matching<'gc>,
    /// Whether it was found, and only what it captured is still to be made.
    found: bool,
}

impl<'gc> Task<'gc> for PausedMatch<'gc> {
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        if !self.found {
            match self.matching.search_on(call)? {
                Found::NotYet => return Ok(Turn::Pause),
                Found::Match => self.found = true,
                Found::Nothing => {
                    call.give(Value::Nil)?;
                    return Ok(Turn::Return);
                }
            }
        }
        self.matching.give(call)?;
        Ok(Turn::Return)
    }
}
