//! Text of scripts and strangers on its way into the owner's log.
//!
//! A stranger can make a script log, and a log is read in a terminal: what a line may hold and how many
//! lines there may be is bounded, and what could steer the terminal is written out.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::printable::written_out;

/// The text of `line` on one line, [`written_out`], at most `max_bytes` of it. It is cut between characters.
pub(crate) fn escaped(line: &[u8], max_bytes: usize) -> String {
    let kept = line.get(..start_of_character(line, max_bytes)).unwrap_or(line);
    let mut text = written_out(&String::from_utf8_lossy(kept), &['\t']);
    if kept.len() < line.len() {
        text.push_str("...");
    }
    text
}

/// The place in `text`, `at` or just before it, that is not inside a character.
fn start_of_character(text: &[u8], at: usize) -> usize {
    /// A character has so many bytes after its first.
    const MOST_BEHIND: usize = 3;
    let continues = |at: usize| text.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    (at.saturating_sub(MOST_BEHIND)..=at).rev().find(|at| !continues(*at)).unwrap_or(at)
}

/// How many lines all invocations of one script may log in a minute, so that callers who stay within the
/// rate limits can't fill the owner's disk either.
const MAX_LINES_PER_MINUTE: usize = 1_000;

const MINUTE: Duration = Duration::from_secs(60);

/// The lines of one script in the present minute.
#[derive(Debug, Default)]
pub(crate) struct LineBudget(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    began: Option<Instant>,
    lines: usize,
}

/// Whether a line may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Log,
    /// It is the first too many: that lines are left out is logged in its place.
    SayThatMoreIsLeftOut,
    LeaveOut,
}

impl LineBudget {
    pub(crate) fn take(&self, now: Instant) -> Line {
        let mut minute = self.0.lock();
        if minute.began.is_none_or(|began| now.duration_since(began) >= MINUTE) {
            *minute = Minute { began: Some(now), lines: 0 };
        }
        minute.lines = minute.lines.saturating_add(1);
        match minute.lines {
            lines if lines <= MAX_LINES_PER_MINUTE => Line::Log,
            lines if lines == MAX_LINES_PER_MINUTE + 1 => Line::SayThatMoreIsLeftOut,
            _ => Line::LeaveOut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_long_lines_cut() {
        assert_eq!(escaped(b"a\x1b[2Jb\nc\td", 100), "a\\u{1b}[2Jb\\nc\td");
        assert_eq!(escaped("safe\u{202e}exe".as_bytes(), 100), "safe\\u{202e}exe");
        assert_eq!(escaped(&[b'x'; 5_000], 1_024).len(), 1_024 + 3);
    }

    #[test]
    fn a_cut_is_between_characters() {
        for (text, max, expected) in
            [("xää", 4, "xä..."), ("🌱🌱", 7, "🌱..."), ("🌱", 4, "🌱"), ("🌱", 2, "...")]
        {
            assert_eq!(escaped(text.as_bytes(), max), expected, "{text} {max}");
        }
        assert_eq!(escaped(&[0x80; 9], 5), "\u{fffd}".repeat(5) + "...", "no text at all");
    }

    #[test]
    fn a_script_has_so_many_lines_a_minute() {
        let budget = LineBudget::default();
        let now = Instant::now();
        assert!((0..MAX_LINES_PER_MINUTE).all(|_| budget.take(now) == Line::Log));
        assert_eq!(budget.take(now), Line::SayThatMoreIsLeftOut);
        assert_eq!(budget.take(now), Line::LeaveOut);
        assert_eq!(budget.take(now + MINUTE), Line::Log);
    }
}
