//! `gsub`: as a task, because it may match for long and call a function for each match.
//!
//! While a replacement function runs, nothing is kept but the place to go on: such calls nest as
//! deep as memory allows, and a matcher's own stack is not counted as the VM's.

use ottavino_gc_arena::Collect;
use piccolo::{Function, String as LuaString, Table, Value};

use super::pattern::{Caret, Matcher, Progress, Search, append_replacement, replacement_len};
use super::string_match::{
    advance, end_search, first_capture, give_captures, new_search, next_start, pattern_error,
};
use super::text::number_text;
use crate::vm::call::Call;
use crate::vm::counted::CountedBuffer;
use crate::vm::native::{Flow, Native, Outcome, Raise};
use crate::vm::task::{Task, Turn, go_on, sequence};

/// Fuel for a call; steps of the matcher and bytes are charged besides.
const CALL: i32 = 8;

pub(super) const GSUB: Native = Native { name: "gsub", fuel: CALL, run: gsub };

/// What matches are replaced with.
#[derive(Copy, Clone, Collect)]
#[collect(no_drop)]
enum Replacement<'gc> {
    Template(LuaString<'gc>),
    Lookup(Table<'gc>),
    Function(Function<'gc>),
}

fn gsub<'gc>(call: &mut Call<'gc, '_>) -> Outcome<'gc> {
    let (subject, pattern) = (call.text(1)?, call.text(2)?);
    let replacement = match call.value(3) {
        Value::Table(table) => Replacement::Lookup(table),
        Value::Function(function) => Replacement::Function(function),
        Value::String(_) | Value::Integer(_) | Value::Number(_) => Replacement::Template(call.text(3)?),
        _ => return Err(call.bad_argument(3, "string/function/table expected")),
    };
    let limit = call.integer_or(4, i64::MAX)?;
    let substitution = Substitution {
        subject,
        pattern,
        replacement,
        search: None,
        next: 0,
        copied: 0,
        count: 0,
        limit,
        replaced: None,
        out: CountedBuffer::new(call),
    };
    begin(call, substitution)
}

#[derive(Collect)]
#[collect(no_drop)]
struct Substitution<'gc> {
    subject: LuaString<'gc>,
    pattern: LuaString<'gc>,
    replacement: Replacement<'gc>,
    /// The search for the next match; none while a function is asked about the last one.
    #[collect(require_static)]
    search: Option<Search>,
    /// Where the next search starts.
    next: usize,
    /// How much of the subject is in the result, replaced or not.
    copied: usize,
    count: i64,
    limit: i64,
    /// The match that a function is asked about: where it starts and ends.
    replaced: Option<(usize, usize)>,
    #[collect(require_static)]
    out: CountedBuffer,
}

impl<'gc> Task<'gc> for Substitution<'gc> {
    fn turn(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        let mut moved_on = false;
        if let Some((start, end)) = self.replaced {
            let value = call.stack.get(0);
            self.append_value(call, start, end, value)?;
            self.replaced = None;
            call.stack.clear();
            moved_on = true;
        }
        loop {
            match self.next_match(call) {
                Ok(None) => moved_on = true,
                Ok(Some(turn)) => return Ok(turn),
                Err(raise) => {
                    // A retry after a collection must find this match again, not the next.
                    self.search = None;
                    if moved_on && matches!(raise, Raise::NeedMemory(_)) {
                        call.want_collection();
                        return Ok(Turn::Pause);
                    }
                    return Err(raise);
                }
            }
            if !call.exec.fuel().should_continue() {
                return Ok(Turn::Pause);
            }
        }
    }
}

/// Does the first turn at once: mostly it is the only one.
fn begin<'gc>(call: &mut Call<'gc, '_>, mut substitution: Substitution<'gc>) -> Outcome<'gc> {
    Ok(match substitution.turn(call)? {
        Turn::Return => Flow::Return,
        Turn::Pause => go_on(call, substitution),
        Turn::Call { function, .. } => Flow::Call { function, then: Some(sequence(call, substitution)) },
    })
}

impl<'gc> Substitution<'gc> {
    fn is_anchored(&self) -> bool {
        self.pattern.as_bytes().first() == Some(&b'^')
    }

    /// Finds the next match and replaces it. Gives a turn when that is not all for now.
    fn next_match(&mut self, call: &mut Call<'gc, '_>) -> Result<Option<Turn<'gc>>, Raise<'gc>> {
        if self.count >= self.limit || (self.count > 0 && self.is_anchored()) {
            return self.finish(call).map(Some);
        }
        call.charge_units(1);
        let mut search = match self.search.take() {
            Some(search) => search,
            None => new_search(call, self.pattern, self.next, Caret::Anchor),
        };
        match advance(call, &mut search, self.subject, self.pattern) {
            Progress::OutOfSteps => {
                self.search = Some(search);
                Ok(Some(Turn::Pause))
            }
            Progress::Failed => {
                end_search(call, search);
                self.finish(call).map(Some)
            }
            Progress::Error(error) => Err(pattern_error(error)),
            Progress::Matched => {
                let turn = self.replace(call, search.found())?;
                if turn.is_some() {
                    end_search(call, search);
                } else {
                    self.search = Some(search);
                }
                Ok(turn)
            }
        }
    }

    fn replace(
        &mut self,
        call: &mut Call<'gc, '_>,
        found: &Matcher,
    ) -> Result<Option<Turn<'gc>>, Raise<'gc>> {
        let (start, end) = (found.start(), found.end());
        match self.replacement {
            Replacement::Template(template) => self.append_template(call, template, found)?,
            Replacement::Lookup(table) => {
                let key = first_capture(call, self.subject, found)?;
                match piccolo::meta_ops::index(call.ctx, table.into(), key) {
                    Ok(piccolo::meta_ops::MetaResult::Value(value)) => {
                        self.append_value(call, start, end, value)?;
                    }
                    Ok(piccolo::meta_ops::MetaResult::Call(index)) => {
                        call.stack.clear();
                        call.stack.extend(index.args);
                        return Ok(Some(self.ask(index.function, found)));
                    }
                    Err(_) => return Err(Raise::Message("attempt to index a table value".to_owned())),
                }
            }
            Replacement::Function(function) => {
                give_captures(call, self.subject, found, None, found.value_count())?;
                return Ok(Some(self.ask(function, found)));
            }
        }
        self.passed(found);
        Ok(None)
    }

    /// Remembers what is being asked, and moves on behind it.
    fn ask(&mut self, function: Function<'gc>, found: &Matcher) -> Turn<'gc> {
        self.replaced = Some((found.start(), found.end()));
        self.passed(found);
        Turn::Call { bottom: 0, function }
    }

    fn passed(&mut self, found: &Matcher) {
        self.next = next_start(found);
        self.count += 1;
    }

    fn append_template(
        &mut self,
        call: &mut Call<'gc, '_>,
        template: LuaString<'gc>,
        found: &Matcher,
    ) -> Result<(), Raise<'gc>> {
        let length = replacement_len(template.as_bytes(), found).map_err(pattern_error)?;
        call.charge_bytes(template.as_bytes().len());
        let kept = found.start().saturating_sub(self.copied);
        self.out.reserve(call, kept.saturating_add(length))?;
        self.copy_until(found.start());
        append_replacement(template.as_bytes(), self.subject.as_bytes(), found, self.out.bytes())
            .map_err(pattern_error)?;
        self.copied = found.end();
        Ok(())
    }

    /// Appends what a table or a function gave for the match; nil and false keep the match.
    fn append_value(
        &mut self,
        call: &mut Call<'gc, '_>,
        start: usize,
        end: usize,
        value: Value<'gc>,
    ) -> Result<(), Raise<'gc>> {
        let number;
        let text = match value {
            Value::Nil | Value::Boolean(false) => self.subject.as_bytes().get(start..end).unwrap_or_default(),
            Value::String(ref text) => text.as_bytes(),
            _ => match number_text(value) {
                Some(text) => {
                    number = text;
                    number.as_bytes()
                }
                None => {
                    let found = value.type_name();
                    return Err(Raise::Message(format!("invalid replacement value (a {found})")));
                }
            },
        };
        let kept = start.saturating_sub(self.copied);
        self.out.reserve(call, kept.saturating_add(text.len()))?;
        self.copy_until(start);
        self.out.bytes().extend_from_slice(text);
        self.copied = end;
        Ok(())
    }

    fn copy_until(&mut self, end: usize) {
        let kept = self.subject.as_bytes().get(self.copied..end).unwrap_or_default();
        self.out.bytes().extend_from_slice(kept);
    }

    fn finish(&mut self, call: &mut Call<'gc, '_>) -> Result<Turn<'gc>, Raise<'gc>> {
        let end = self.subject.as_bytes().len();
        self.out.reserve(call, end.saturating_sub(self.copied))?;
        self.copy_until(end);
        self.copied = end;
        let result = call.string_of(self.out.take());
        call.stack.clear();
        call.stack.extend([Value::String(result), Value::Integer(self.count)]);
        Ok(Turn::Return)
    }
}
