//! Matching from left to right over a subject: the loop of `find`, `match`, `gmatch` and `gsub`.

use memchr::memchr;

use super::single::Single;
use super::{Matcher, Progress};

/// What a `^` at the pattern's head means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caret {
    /// Match at the start only: `find`, `match` and `gsub`.
    Anchor,
    /// A byte like any other: `gmatch`, as in reference Lua 5.1.
    Literal,
}

/// Bytes that the jump to a candidate passes for one step: it looks at many at a time.
const BYTES_JUMPED_PER_STEP: usize = 16;

/// Finds the matches of a pattern one after the other, each behind the one before.
///
/// After a match that is not empty the search goes on at its end, after an empty one at the byte
/// behind, as reference Lua 5.1 does: `gsub("abc", "x*", "-")` has the four matches of `-a-b-c-`.
/// An anchored search has at most one match. What `gsub` leaves alone is what lies between one
/// match's end and the next one's start.
#[derive(Debug, Clone)]
pub struct Search {
    matcher: Matcher,
    /// Where the next attempt starts.
    next: usize,
    /// Where the pattern starts behind its anchor.
    item: usize,
    anchored: bool,
    /// What every match starts with, if the pattern says so.
    lead: Option<Single>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Seek,
    Match,
    Ended,
}

impl Search {
    /// A search over a subject from the offset `init` on. Behind the subject's end nothing matches.
    pub fn new(pattern: &[u8], init: usize, caret: Caret) -> Self {
        Self::reusing(Matcher::new(init, 0), pattern, init, caret)
    }

    /// As [`Search::new`], with the memory of an earlier search's matcher.
    pub fn reusing(mut matcher: Matcher, pattern: &[u8], init: usize, caret: Caret) -> Self {
        let anchored = caret == Caret::Anchor && pattern.first() == Some(&b'^');
        let item = usize::from(anchored);
        matcher.clear();
        let lead = if anchored { None } else { lead(&mut matcher, pattern) };
        Self { matcher, next: init, item, anchored, lead, stage: Stage::Seek }
    }

    /// The matcher, for another search.
    pub fn into_matcher(self) -> Matcher {
        self.matcher
    }

    /// Goes on to the next match. [`Progress::Failed`] says that there are no more.
    ///
    /// The subject and the pattern must be the same in all calls, see [`Matcher`]; of `steps` the
    /// same holds as in [`Matcher::run`].
    pub fn advance(&mut self, subject: &[u8], pattern: &[u8], steps: &mut u32) -> Progress {
        loop {
            if !self.matcher.settle(steps) {
                return Progress::OutOfSteps;
            }
            match self.stage {
                Stage::Ended => return Progress::Failed,
                Stage::Seek if *steps == 0 => return Progress::OutOfSteps,
                Stage::Seek => self.seek(subject, steps),
                Stage::Match => match self.matcher.run(subject, pattern, steps) {
                    Progress::Failed => self.leave(self.next + 1),
                    Progress::Matched => {
                        let (start, end) = (self.matcher.start(), self.matcher.end());
                        self.leave(if end > start { end } else { start + 1 });
                        return Progress::Matched;
                    }
                    Progress::OutOfSteps => return Progress::OutOfSteps,
                    Progress::Error(error) => {
                        self.stage = Stage::Ended;
                        return Progress::Error(error);
                    }
                },
            }
        }
    }

    /// The latest match, after [`Progress::Matched`].
    pub fn found(&self) -> &Matcher {
        &self.matcher
    }

    fn leave(&mut self, next: usize) {
        self.next = next;
        self.stage = if self.anchored { Stage::Ended } else { Stage::Seek };
    }

    /// Begins an attempt at the next place that can match.
    fn seek(&mut self, subject: &[u8], steps: &mut u32) {
        let Some(rest) = subject.get(self.next..) else {
            self.stage = Stage::Ended;
            return;
        };
        let (found, passed) = match &self.lead {
            None => (true, 0),
            Some(Single::Byte(lead)) => {
                let found = memchr(*lead, rest);
                let passed = found.unwrap_or(rest.len());
                self.matcher.charge(passed / BYTES_JUMPED_PER_STEP, steps);
                (found.is_some(), passed)
            }
            Some(lead) => {
                let within = rest.get(..*steps as usize).unwrap_or(rest);
                let found = within.iter().position(|byte| lead.matches(*byte));
                let passed = found.unwrap_or(within.len());
                self.matcher.charge(passed, steps);
                (found.is_some(), passed)
            }
        };
        self.next += passed;
        if found {
            self.matcher.restart(self.next, self.item);
            self.stage = Stage::Match;
        } else if passed == rest.len() {
            self.stage = Stage::Ended;
        }
    }
}

/// The captures that may begin before a pattern's first byte is looked for: so few that none of
/// them can be one too many.
const MAX_LEADING_CAPTURES: usize = 4;

/// What every match of an unanchored `pattern` starts with, when that is plain to see. Where it
/// occurs nowhere the matcher would find no fault in the pattern either.
fn lead(matcher: &mut Matcher, pattern: &[u8]) -> Option<Single> {
    let opening = pattern.iter().take(MAX_LEADING_CAPTURES).take_while(|byte| **byte == b'(').count();
    let rest = pattern.get(opening..)?;
    let is_single = match rest {
        [b'^' | b'$' | b'*' | b'+' | b'?' | b'.' | b'(' | b')' | b'-', ..] | [] => false,
        [b'%', letter, ..] => !matches!(letter, b'b' | b'f' | b'0'..=b'9'),
        _ => true,
    };
    let (single, end) = if is_single { matcher.lead(pattern, opening)? } else { return None };
    let may_be_absent = matches!(pattern.get(end), Some(b'*' | b'?' | b'-'));
    (!may_be_absent).then_some(single)
}
