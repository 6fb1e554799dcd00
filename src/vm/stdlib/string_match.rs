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
        let matching = Matching::new(call, subject, pattern, init, Caret::Anchor, Wanted::Find);
        return run(call, matching);
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
    let matching = Matching::new(call, subject, pattern, init, Caret::Anchor, Wanted::Captures);
    run(call, matching)
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
    let matching = Matching::new(call, subject, pattern, next, Caret::Literal, Wanted::Next(state));
    run(call, matching)
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
        call: &Call<'gc, '_>,
        subject: LuaString<'gc>,
        pattern: LuaString<'gc>,
        init: usize,
        caret: Caret,
        wanted: Wanted<'gc>,
    ) -> Self {
        let search = new_search(call, pattern, init, caret);
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
        let (place, captures) = match self.wanted {
            Wanted::Find => (Some((found.start() + 1, found.end())), found.capture_count()),
            Wanted::Captures | Wanted::Next(_) => (None, found.value_count()),
        };
        give_captures(call, self.subject, found, place, captures)?;
        // Only now: a retry for want of memory must find this match again.
        if let Wanted::Next(state) = self.wanted {
            set_state(call, state, 3, position(next_start(found)));
        }
        Ok(Flow::Return)
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

/// Puts the place of a match, if it is wanted, and the first `captures` of its captures on the
/// stack. It is as it was when there is too little memory for them.
pub(super) fn give_captures<'gc>(
    call: &mut Call<'gc, '_>,
    subject: LuaString<'gc>,
    found: &Matcher,
    place: Option<(usize, usize)>,
    captures: usize,
) -> Result<(), Raise<'gc>> {
    let mut bytes = 0usize;
    for index in 0..captures {
        if let Capture::Slice(start, end) = found.capture(index).map_err(pattern_error)? {
            bytes = bytes.saturating_add(end - start);
        }
    }
    call.charge_bytes(bytes);
    call.ask_memory(bytes)?;
    call.ask_values(captures)?;
    call.stack.clear();
    if let Some((start, end)) = place {
        call.stack.extend([position(start), position(end)]);
    }
    for index in 0..captures {
        let value = match found.capture(index).map_err(pattern_error)? {
            Capture::Position(at) => position(at),
            Capture::Slice(start, end) => slice(call, subject, start, end).into(),
        };
        call.stack.push_back(value);
    }
    Ok(())
}

/// The first capture of a match as a value.
pub(super) fn first_capture<'gc>(
    call: &mut Call<'gc, '_>,
    subject: LuaString<'gc>,
    found: &Matcher,
) -> Result<Value<'gc>, Raise<'gc>> {
    match found.capture(0).map_err(pattern_error)? {
        Capture::Position(at) => Ok(position(at)),
        Capture::Slice(start, end) => {
            call.ask_string(end - start)?;
            Ok(slice(call, subject, start, end).into())
        }
    }
}

/// A part of the subject.
fn slice<'gc>(call: &Call<'gc, '_>, subject: LuaString<'gc>, start: usize, end: usize) -> LuaString<'gc> {
    LuaString::from_slice(&call.ctx, subject.as_bytes().get(start..end).unwrap_or_default())
}

/// A search with the memory of an earlier one.
pub(super) fn new_search<'gc>(
    call: &Call<'gc, '_>,
    pattern: LuaString<'gc>,
    init: usize,
    caret: Caret,
) -> Search {
    match call.shared.spare_matcher.take() {
        Some(matcher) => Search::reusing(matcher, pattern.as_bytes(), init, caret),
        None => Search::new(pattern.as_bytes(), init, caret),
    }
}

/// Leaves the memory of a search to the next.
pub(super) fn end_search(call: &Call<'_, '_>, search: Search) {
    call.shared.spare_matcher.set(Some(search.into_matcher()));
}

fn run<'gc>(call: &mut Call<'gc, '_>, mut matching: Matching<'gc>) -> Outcome<'gc> {
    let outcome = match matching.search_on(call)? {
        Found::Nothing => call.give(Value::Nil),
        Found::Match => matching.give(call),
        Found::NotYet => return Ok(go_on(call, PausedMatch { matching, found: false })),
    };
    end_search(call, matching.search);
    outcome
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
