//! LIKE and GLOB with a clock: the greedy matcher that returns only to the last `%` or `*`, so it
//! takes at most pattern × text steps, and asks whether to stop every so many of them.

use std::iter::Peekable;
use std::str::Chars;

/// How many steps are taken between two looks at the clock.
const STEPS_PER_CHECK: u32 = 65_536;

/// The pattern language.
#[derive(Debug, Clone, Copy)]
pub(super) enum Style {
    /// `%` and `_`; ASCII letters match in either case.
    Like {
        /// The character that makes the next one literal.
        escape: Option<char>,
    },
    /// `*`, `?` and `[…]`; letters match exactly.
    Glob,
}

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    elements: Vec<Element>,
}

#[derive(Debug)]
enum Element {
    /// Any text, also none.
    Run,
    /// Any one character.
    One,
    /// This character.
    Exact(char),
    /// This character in either case, already in lower case.
    Folded(char),
    /// A character in (or, negated, outside) the ranges.
    Class { negated: bool, ranges: Vec<(char, char)> },
    /// Nothing: a pattern that ends inside a class or after an escape character.
    Never,
}

impl Element {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Run | Self::Never => false,
            Self::One => true,
            Self::Exact(wanted) => c == *wanted,
            Self::Folded(wanted) => c.to_ascii_lowercase() == *wanted,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

impl Pattern {
    /// Reads `text` as a pattern. Every text is one.
    pub(super) fn parse(text: &str, style: Style) -> Self {
        let mut chars = text.chars().peekable();
        let mut elements = Vec::new();
        while let Some(c) = chars.next() {
            elements.push(match style {
                Style::Like { escape } if Some(c) == escape => {
                    chars.next().map_or(Element::Never, |c| Element::Folded(c.to_ascii_lowercase()))
                }
                Style::Like { .. } => match c {
                    '%' => Element::Run,
                    '_' => Element::One,
                    c => Element::Folded(c.to_ascii_lowercase()),
                },
                Style::Glob => match c {
                    '*' => Element::Run,
                    '?' => Element::One,
                    '[' => class(&mut chars),
                    c => Element::Exact(c),
                },
            });
        }
        Self { elements }
    }

    /// Whether the whole of `text` matches, or `None` when `stop` said so first.
    pub(super) fn matches(&self, text: &str, stop: impl Fn() -> bool) -> Option<bool> {
        let mut position = 0;
        let mut rest = text.chars();
        // Where to try again: the element after the last run, and the text from which it was tried.
        let mut retry: Option<(usize, Chars<'_>)> = None;
        let mut steps = 0u32;
        loop {
            steps += 1;
            if steps >= STEPS_PER_CHECK {
                steps = 0;
                if stop() {
                    return None;
                }
            }
            let ahead = rest.clone().next();
            match (self.elements.get(position), ahead) {
                (Some(Element::Run), _) => {
                    position += 1;
                    retry = Some((position, rest.clone()));
                    continue;
                }
                (Some(element), Some(c)) if element.accepts(c) => {
                    position += 1;
                    rest.next();
                    continue;
                }
                (None, None) => return Some(true),
                _ => {}
            }
            // The last run takes one character more, if there is one.
            let Some((after_run, from)) = &mut retry else { return Some(false) };
            if from.next().is_none() {
                return Some(false);
            }
            position = *after_run;
            rest = from.clone();
        }
    }
}

/// Reads a class after its `[`: `^` negates, `]` in front is literal, `a-z` is a range.
fn class(chars: &mut Peekable<Chars<'_>>) -> Element {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    // The character that a `-` would make the low end of a range.
    let mut low = None;
    if chars.next_if_eq(&']').is_some() {
        ranges.push((']', ']'));
    }
    while let Some(c) = chars.next() {
        if c == ']' {
            return Element::Class { negated, ranges };
        }
        let high = if c == '-' && low.is_some() { chars.next_if(|next| *next != ']') } else { None };
        match (low, high) {
            (Some(start), Some(end)) => {
                ranges.push((start, end));
                low = None;
            }
            _ => {
                ranges.push((c, c));
                low = Some(c);
            }
        }
    }
    Element::Never
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;

    proptest! {
        /// SQLite itself is the judge of what a pattern matches.
        #[test]
        fn agrees_with_sqlite(pattern in "[aAbB%_*?é\\[\\]^-]{0,8}", text in "[aAbBé\\]-]{0,10}") {
            let sqlite = Connection::open_in_memory().unwrap();
            let ask = |sql: &str| sqlite.query_row(sql, (&text, &pattern), |row| row.get::<_, bool>(0)).unwrap();
            let ours = |style| Pattern::parse(&pattern, style).matches(&text, || false).unwrap();
            prop_assert_eq!(ours(Style::Like { escape: None }), ask("SELECT ?1 LIKE ?2"));
            prop_assert_eq!(ours(Style::Like { escape: Some('^') }), ask("SELECT ?1 LIKE ?2 ESCAPE '^'"));
            prop_assert_eq!(ours(Style::Glob), ask("SELECT ?1 GLOB ?2"));
        }
    }

    #[test]
    fn a_long_match_asks_whether_to_stop() {
        let pattern = Pattern::parse(&format!("%{}b", "a".repeat(200)), Style::Like { escape: None });
        assert_eq!(pattern.matches(&"a".repeat(100_000), || true), None);
    }
}
