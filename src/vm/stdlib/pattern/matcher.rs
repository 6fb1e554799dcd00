//! Matching at one place in the subject, in steps.
//!
//! A pattern has no repeated groups, so its items are passed from left to right and each leaves at
//! most one point to come back to: the stack is as deep as the pattern has items, whatever the
//! subject's length. Undoing a capture is such a point too.

use super::PatternError;
use super::byte_set::ByteSet;
use super::captures::{Capture, CaptureEnd, Captures};
use super::kept_sets::KeptSets;
use super::single::{self, Single};

/// The most points that matching may have to come back to: one for each repetition, and up to two
/// for each capture. Together they take at most some 10 KB.
pub const MAX_DEPTH: usize = 200;

/// What a call of `run` came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// It matched; the captures can be asked for.
    Matched,
    /// There is no (further) match.
    Failed,
    /// The steps are used up; call `run` again with more, and the same subject and pattern.
    OutOfSteps,
    /// The pattern is faulty.
    Error(PatternError),
}

/// Matches a pattern at one offset of a subject.
///
/// Holds neither of the two: both are handed to every [`Matcher::run`], so that they can live in a
/// collector's heap meanwhile. They must be the same until the match is decided; others give wrong
/// answers, but no panic and no more work or memory.
#[derive(Debug, Clone)]
pub struct Matcher {
    start: usize,
    /// The offset in the subject; the match's end once it matched.
    cursor: usize,
    /// The offset in the pattern of the item to look at.
    item: usize,
    state: State,
    captures: Captures,
    stack: Vec<Retry>,
    sets: KeptSets,
    /// Steps already done but not yet paid, from work that can't be divided.
    debt: usize,
}

/// What the next step has to do.
#[derive(Debug, Clone, Copy)]
enum State {
    /// Look at the item under the cursor.
    Item,
    /// Count how often `single` matches from `first` on, having come to the cursor.
    Count { single: Single, first: usize, then: usize },
    /// Look for the `close` that balances `depth` openers.
    Balance { open: u8, close: u8, depth: usize },
    /// The latest choice was wrong: make the next one.
    Backtrack,
    /// The answer is known.
    Decided(Progress),
}

/// A point to come back to.
#[derive(Debug, Clone, Copy)]
enum Retry {
    /// An item with `?` was taken; go on without it.
    Optional { cursor: usize, then: usize },
    /// A repetition took everything up to `last`; take one byte less, but not less than `first`.
    Longest { first: usize, last: usize, then: usize },
    /// A lazy repetition came to `cursor`; take one byte more of the item at `item`.
    Shortest { cursor: usize, item: usize },
    /// A capture was begun; forget it.
    Opened,
    /// A capture was closed; open it again.
    Closed(usize),
}

impl Matcher {
    /// A matcher that is to match at the offset `start` of the subject, with the pattern's part
    /// from the offset `item` on.
    pub fn new(start: usize, item: usize) -> Self {
        Self {
            start,
            cursor: start,
            item,
            state: State::Item,
            captures: Captures::default(),
            stack: Vec::new(),
            sets: KeptSets::default(),
            debt: 0,
        }
    }

    /// Forgets everything, for a search with any pattern; the memory stays.
    pub(super) fn clear(&mut self) {
        self.sets.clear();
        self.debt = 0;
        self.restart(0, 0);
    }

    /// The bytes that the item at `at` of `pattern` matches, when it is a single byte's; a set's
    /// reading is owed.
    pub(super) fn lead(&mut self, pattern: &[u8], at: usize) -> Option<(Single, usize)> {
        if pattern.get(at) != Some(&b'[') {
            return single::read_simple(pattern, at).ok();
        }
        let (set, end) = self.set(pattern, at, &mut 0).ok()?;
        Some((Single::Set(set), end))
    }

    /// Begins anew at `start` with the same pattern, keeping what was learnt of it.
    pub(super) fn restart(&mut self, start: usize, item: usize) {
        self.start = start;
        self.cursor = start;
        self.item = item;
        self.state = State::Item;
        self.captures.clear();
        self.stack.clear();
    }

    /// Goes on matching until the answer is known or `steps` is 0.
    ///
    /// A step is about one byte of the subject or the pattern looked at. Work that can't be
    /// divided, which is at most one reading of the pattern or one comparison of a capture, may go
    /// beyond `steps`; the next calls then pay for it, and the answer waits until it is paid.
    pub fn run(&mut self, subject: &[u8], pattern: &[u8], steps: &mut u32) -> Progress {
        loop {
            if !self.settle(steps) {
                return Progress::OutOfSteps;
            }
            if let State::Decided(progress) = self.state {
                return progress;
            }
            if *steps == 0 {
                return Progress::OutOfSteps;
            }
            if let Err(error) = self.step(subject, pattern, steps) {
                self.state = State::Decided(Progress::Error(error));
            }
        }
    }

    /// Where the match starts in the subject.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Where the match ends in the subject, once there is one.
    pub fn end(&self) -> usize {
        self.cursor
    }

    /// How many captures the match has: what `find` returns after the two offsets.
    pub fn capture_count(&self) -> usize {
        self.captures.len()
    }

    /// How many values `match` and `gmatch` return: the captures, or the whole match without any.
    pub fn value_count(&self) -> usize {
        self.captures.len().max(1)
    }

    /// The capture `index`, counted from 0; 0 is the whole match when there are no captures.
    ///
    /// # Errors
    /// When there is no such capture, or its `)` is missing.
    pub fn capture(&self, index: usize) -> Result<Capture, PatternError> {
        match self.captures.get(index) {
            Some(value) => value,
            None if index == 0 => Ok(Capture::Slice(self.start, self.cursor)),
            None => Err(PatternError::InvalidCaptureIndex),
        }
    }

    /// Takes `cost` and older debts from `steps`, and owes what is not there.
    #[inline]
    pub(super) fn charge(&mut self, cost: usize, steps: &mut u32) {
        if self.debt == 0 && cost <= *steps as usize {
            *steps -= cost as u32;
        } else {
            self.charge_in_part(cost, steps);
        }
    }

    #[cold]
    fn charge_in_part(&mut self, cost: usize, steps: &mut u32) {
        let owed = self.debt.saturating_add(cost);
        let paid = owed.min(*steps as usize);
        self.debt = owed - paid;
        *steps -= paid as u32;
    }

    /// Pays debts and says whether all of them are paid.
    #[inline]
    pub(super) fn settle(&mut self, steps: &mut u32) -> bool {
        if self.debt != 0 {
            self.charge_in_part(0, steps);
        }
        self.debt == 0
    }

    fn step(&mut self, subject: &[u8], pattern: &[u8], steps: &mut u32) -> Result<(), PatternError> {
        match self.state {
            State::Item => self.item(subject, pattern, steps),
            State::Count { single, first, then } => self.count(subject, single, first, then, steps),
            State::Balance { open, close, depth } => {
                self.balance(subject, open, close, depth, steps);
                Ok(())
            }
            State::Backtrack => self.backtrack(subject, pattern, steps),
            State::Decided(_) => Ok(()),
        }
    }

    fn item(&mut self, subject: &[u8], pattern: &[u8], steps: &mut u32) -> Result<(), PatternError> {
        self.charge(1, steps);
        let following = pattern.get(self.item + 1).copied();
        match pattern.get(self.item) {
            None => self.state = State::Decided(Progress::Matched),
            Some(b'(') if following == Some(b')') => return self.open(CaptureEnd::Position, 2),
            Some(b'(') => return self.open(CaptureEnd::Open, 1),
            Some(b')') => return self.close(),
            Some(b'$') if following.is_none() => {
                self.item += 1;
                self.go_on_if(self.cursor == subject.len());
            }
            Some(b'%') => match following {
                Some(b'b') => return self.begin_balance(subject, pattern),
                Some(b'f') => return self.frontier(subject, pattern, steps),
                Some(digit) if digit.is_ascii_digit() => return self.refer_back(subject, digit, steps),
                _ => return self.single_item(subject, pattern, steps),
            },
            Some(_) => return self.single_item(subject, pattern, steps),
        }
        Ok(())
    }

    fn go_on_if(&mut self, matches: bool) {
        self.state = if matches { State::Item } else { State::Backtrack };
    }

    fn remember(&mut self, retry: Retry) -> Result<(), PatternError> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(PatternError::TooComplex);
        }
        self.stack.push(retry);
        Ok(())
    }

    fn open(&mut self, end: CaptureEnd, width: usize) -> Result<(), PatternError> {
        self.captures.open(self.cursor, end)?;
        self.item += width;
        self.remember(Retry::Opened)
    }

    fn close(&mut self) -> Result<(), PatternError> {
        let index = self.captures.close(self.cursor)?;
        self.item += 1;
        self.remember(Retry::Closed(index))
    }

    /// `%1`: the bytes of a capture again. A position capture never matches, as in reference Lua.
    fn refer_back(&mut self, subject: &[u8], digit: u8, steps: &mut u32) -> Result<(), PatternError> {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let capture = index.and_then(|index| self.captures.get(index)).and_then(Result::ok);
        let Capture::Slice(start, end) = capture.ok_or(PatternError::InvalidCaptureIndex)? else {
            self.state = State::Backtrack;
            return Ok(());
        };
        let wanted = subject.get(start..end).unwrap_or_default();
        let width = wanted.len();
        let matches = subject.get(self.cursor..).is_some_and(|rest| rest.starts_with(wanted));
        self.charge(width, steps);
        self.cursor += if matches { width } else { 0 };
        self.item += 2;
        self.go_on_if(matches);
        Ok(())
    }

    /// `%f[set]`: the byte before is not in the set and the byte here is; both ends count as `\0`.
    fn frontier(&mut self, subject: &[u8], pattern: &[u8], steps: &mut u32) -> Result<(), PatternError> {
        if pattern.get(self.item + 2) != Some(&b'[') {
            return Err(PatternError::FrontierWithoutSet);
        }
        let (set, then) = self.set(pattern, self.item + 2, steps)?;
        let before = self.cursor.checked_sub(1).and_then(|at| subject.get(at)).copied().unwrap_or(0);
        let here = subject.get(self.cursor).copied().unwrap_or(0);
        self.item = then;
        self.go_on_if(!set.contains(before) && set.contains(here));
        Ok(())
    }

    /// `%bxy`: the cursor has to stand on `x`; the search for its `y` is a state of its own.
    fn begin_balance(&mut self, subject: &[u8], pattern: &[u8]) -> Result<(), PatternError> {
        let Some([open, close]) = pattern.get(self.item + 2..self.item + 4) else {
            return Err(PatternError::Unbalanced);
        };
        if subject.get(self.cursor) == Some(open) {
            self.cursor += 1;
            self.item += 4;
            self.state = State::Balance { open: *open, close: *close, depth: 1 };
        } else {
            self.state = State::Backtrack;
        }
        Ok(())
    }

    fn balance(&mut self, subject: &[u8], open: u8, close: u8, mut depth: usize, steps: &mut u32) {
        let rest = subject.get(self.cursor..).unwrap_or_default();
        let within = rest.get(..*steps as usize).unwrap_or(rest);
        for (index, &byte) in within.iter().enumerate() {
            if byte == close {
                depth -= 1;
            } else if byte == open {
                depth += 1;
            }
            if depth == 0 {
                self.cursor += index + 1;
                self.state = State::Item;
                self.charge(index + 1, steps);
                return;
            }
        }
        self.cursor += within.len();
        let at_end = within.len() == rest.len();
        self.state = if at_end { State::Backtrack } else { State::Balance { open, close, depth } };
        self.charge(within.len(), steps);
    }

    fn single_item(&mut self, subject: &[u8], pattern: &[u8], steps: &mut u32) -> Result<(), PatternError> {
        let (single, end) = self.single(pattern, self.item, steps)?;
        let matches = subject.get(self.cursor).is_some_and(|byte| single.matches(*byte));
        match pattern.get(end) {
            Some(b'?') => {
                if matches {
                    self.remember(Retry::Optional { cursor: self.cursor, then: end + 1 })?;
                    self.cursor += 1;
                }
                self.item = end + 1;
            }
            Some(b'-') => {
                self.remember(Retry::Shortest { cursor: self.cursor, item: self.item })?;
                self.item = end + 1;
            }
            Some(b'*') => return self.begin_count(subject, single, end + 1, steps),
            Some(b'+') if matches => {
                self.cursor += 1;
                return self.begin_count(subject, single, end + 1, steps);
            }
            Some(b'+') => self.state = State::Backtrack,
            _ => {
                self.cursor += usize::from(matches);
                self.item = end;
                self.go_on_if(matches);
            }
        }
        Ok(())
    }

    /// Counts at once, unless there are debts to be paid first.
    fn begin_count(
        &mut self,
        subject: &[u8],
        single: Single,
        then: usize,
        steps: &mut u32,
    ) -> Result<(), PatternError> {
        let first = self.cursor;
        if self.debt != 0 || *steps == 0 {
            self.state = State::Count { single, first, then };
            return Ok(());
        }
        self.count(subject, single, first, then, steps)
    }

    fn count(
        &mut self,
        subject: &[u8],
        single: Single,
        first: usize,
        then: usize,
        steps: &mut u32,
    ) -> Result<(), PatternError> {
        let rest = subject.get(self.cursor..).unwrap_or_default();
        let within = match single {
            Single::Any => rest,
            _ => rest.get(..*steps as usize).unwrap_or(rest),
        };
        let length = single.run_length(within);
        self.cursor += length;
        self.charge(single.run_cost(length), steps);
        if length == within.len() && within.len() < rest.len() {
            self.state = State::Count { single, first, then };
            return Ok(());
        }
        if self.cursor > first {
            self.remember(Retry::Longest { first, last: self.cursor, then })?;
        }
        self.item = then;
        self.state = State::Item;
        Ok(())
    }

    fn backtrack(&mut self, subject: &[u8], pattern: &[u8], steps: &mut u32) -> Result<(), PatternError> {
        self.charge(1, steps);
        let Some(retry) = self.stack.pop() else {
            self.state = State::Decided(Progress::Failed);
            return Ok(());
        };
        match retry {
            Retry::Optional { cursor, then } => self.go_on_at(cursor, then),
            Retry::Longest { first, last, then } => {
                let last = last - 1;
                if last > first {
                    self.stack.push(Retry::Longest { first, last, then });
                }
                self.go_on_at(last, then);
            }
            Retry::Shortest { cursor, item } => {
                let (single, end) = self.single(pattern, item, steps)?;
                if subject.get(cursor).is_some_and(|byte| single.matches(*byte)) {
                    self.stack.push(Retry::Shortest { cursor: cursor + 1, item });
                    self.go_on_at(cursor + 1, end + 1);
                }
            }
            Retry::Opened => self.captures.forget_last(),
            Retry::Closed(index) => self.captures.reopen(index),
        }
        Ok(())
    }

    fn go_on_at(&mut self, cursor: usize, item: usize) {
        self.cursor = cursor;
        self.item = item;
        self.state = State::Item;
    }

    /// The single at `at` and the offset behind it.
    fn single(
        &mut self,
        pattern: &[u8],
        at: usize,
        steps: &mut u32,
    ) -> Result<(Single, usize), PatternError> {
        if pattern.get(at) != Some(&b'[') {
            return single::read_simple(pattern, at);
        }
        let (set, end) = self.set(pattern, at, steps)?;
        Ok((Single::Set(set), end))
    }

    /// The set at `at` and the offset behind it.
    fn set(&mut self, pattern: &[u8], at: usize, steps: &mut u32) -> Result<(ByteSet, usize), PatternError> {
        let read = self.sets.get(pattern, at)?;
        self.charge(read.cost, steps);
        Ok((read.set, read.end))
    }
}
