//! Patterns against reference Lua.

use goop2::vm::stdlib::pattern::{
    Capture, Caret, Matcher, PatternError, Progress, Search, append_replacement, find_plain, has_specials,
    replacement_len,
};

use crate::choices::Choices;
use crate::reference::{self, Plain};

/// The most steps of one comparison. Reference Lua can't be stopped, so what takes us longer is not
/// given to it.
const MAX_STEPS: u32 = 20_000;

/// Pieces that patterns are made of, beside single bytes.
const PIECES: &[&str] = &[
    "a", "b", ".", "%a", "%d", "%w", "%s", "%A", "%p", "%S", "%x", "%u", "%l", "%c", "%W", "%%", "[ab]",
    "[^a]", "[%d%s]", "[a-c]", "[]a]", "[^]x]", "[a-]", "[%a-x]", "[^%w]", "[%", "[a-%]", "[", "]", "*", "+",
    "-", "?", "(", ")", "()", "^", "$", "%1", "%2", "%3", "%0", "%b()", "%bab", "%baa", "%b", "%f[%w]",
    "%f[^a]", "%f", "%", ".-", ".*", "(.-)", "(a*)", "%z", "x", "1", " ",
];
const TEMPLATES: &[&str] = &["-", "<%0>", "%1", "%2%1", "%%%x", "%1%", "%9", ""];

/// A subject and what is to be found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    subject: Vec<u8>,
    pattern: Vec<u8>,
    template: Vec<u8>,
    /// Where to begin, from 0.
    init: usize,
    /// How many steps the matcher gets at a time.
    slice: u32,
}

/// The case that `data` stands for.
pub fn case(data: &[u8]) -> Case {
    let mut choices = Choices::new(data);
    let slice = 1 + choices.below(9) as u32;
    let init = choices.below(4);
    let template = choices.pick(TEMPLATES).as_bytes().to_vec();
    let mut pattern = Vec::new();
    for _ in 0..choices.below(14) {
        // A high byte is a piece, another one itself.
        match choices.byte() {
            byte if byte >= 64 => pattern.extend(PIECES[usize::from(byte) % PIECES.len()].bytes()),
            byte => pattern.push(byte),
        }
    }
    // Reference Lua 5.1 takes a zero byte for the end of the pattern.
    pattern.retain(|byte| *byte != 0);
    let mut subject = choices.rest().to_vec();
    subject.truncate(400);
    let init = init.min(subject.len());
    Case { subject, pattern, template, init, slice }
}

/// What there is to compare: values or a message; nothing when it took too long.
type Answer = Option<Result<Vec<Plain>, String>>;

/// Why we have no answer.
enum Stop {
    Error(PatternError),
    TooLong,
}

impl From<PatternError> for Stop {
    fn from(error: PatternError) -> Self {
        Self::Error(error)
    }
}

fn answer(ours: Result<Vec<Plain>, Stop>) -> Answer {
    match ours {
        Ok(values) => Some(Ok(values)),
        // Ours alone: a bound where the reference uses the native stack.
        Err(Stop::TooLong | Stop::Error(PatternError::TooComplex)) => None,
        Err(Stop::Error(error)) => Some(Err(error.to_string())),
    }
}

/// Compares `find`, `gmatch` and `gsub`.
///
/// # Panics
/// When ours differs from reference Lua.
pub fn check(case: &Case) {
    let [subject, pattern, template] =
        [&case.subject, &case.pattern, &case.template].map(|text| Plain::from(&text[..]));
    let init = Plain::Number(case.init as f64 + 1.0);
    if let Some(ours) = answer(find(case)) {
        let reference = reference::call("string.find", &[subject.clone(), pattern.clone(), init]);
        assert_eq!(ours, reference, "find of {}", shown(case));
    }
    if let Some(ours) = answer(gsub(case)) {
        let reference = reference::call("string.gsub", &[subject.clone(), pattern.clone(), template]);
        assert_eq!(ours, reference, "gsub of {}", shown(case));
    }
    if let Some(ours) = answer(gmatch(case)) {
        let reference =
            reference::call("all_matches", &[subject, pattern]).and_then(|values| match &values[..] {
                [Plain::Boolean(true), text] => Ok(vec![text.clone()]),
                [_, Plain::Text(message)] => Err(String::from_utf8_lossy(message).into_owned()),
                other => panic!("{other:?}"),
            });
        assert_eq!(
            ours.map_err(plain_message),
            reference.map_err(plain_message),
            "gmatch of {}",
            shown(case)
        );
    }
}

/// A message without the place that reference Lua puts before it.
fn plain_message(message: String) -> String {
    message.rsplit_once(": ").map(|(_, text)| text.to_owned()).unwrap_or(message)
}

fn shown(case: &Case) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{:?} in {:?} from {}", text(&case.pattern), text(&case.subject), case.init)
}

/// Goes on to the next match with a few steps at a time.
fn advance(search: &mut Search, case: &Case, left: &mut u32) -> Result<bool, Stop> {
    loop {
        let mut steps = case.slice;
        let progress = search.advance(&case.subject, &case.pattern, &mut steps);
        *left = left.saturating_sub(case.slice - steps);
        match progress {
            Progress::Matched => return Ok(true),
            Progress::Failed => return Ok(false),
            Progress::Error(error) => return Err(Stop::Error(error)),
            Progress::OutOfSteps if *left == 0 => return Err(Stop::TooLong),
            Progress::OutOfSteps => assert_eq!(steps, 0, "stopped with steps left"),
        }
    }
}

fn values(found: &Matcher, subject: &[u8], count: usize) -> Result<Vec<Plain>, Stop> {
    let value = |index| {
        Ok(match found.capture(index)? {
            Capture::Slice(start, end) => Plain::from(&subject[start..end]),
            Capture::Position(position) => Plain::Number(position as f64),
        })
    };
    (0..count).map(value).collect()
}

fn find(case: &Case) -> Result<Vec<Plain>, Stop> {
    let place = |start: usize, end: usize| vec![Plain::Number(start as f64 + 1.0), Plain::Number(end as f64)];
    if !has_specials(&case.pattern) {
        let start = find_plain(&case.subject, &case.pattern, case.init);
        return Ok(start.map_or(vec![Plain::Nil], |start| place(start, start + case.pattern.len())));
    }
    let mut search = Search::new(&case.pattern, case.init, Caret::Anchor);
    if !advance(&mut search, case, &mut { MAX_STEPS })? {
        return Ok(vec![Plain::Nil]);
    }
    let found = search.found();
    let mut all = place(found.start(), found.end());
    all.extend(values(found, &case.subject, found.capture_count())?);
    Ok(all)
}

fn gsub(case: &Case) -> Result<Vec<Plain>, Stop> {
    let mut search = Search::new(&case.pattern, 0, Caret::Anchor);
    let (mut out, mut copied, mut count, mut left) = (Vec::new(), 0, 0, MAX_STEPS);
    while advance(&mut search, case, &mut left)? {
        let found = search.found();
        out.extend_from_slice(&case.subject[copied..found.start()]);
        let expected = out.len() + replacement_len(&case.template, found)?;
        append_replacement(&case.template, &case.subject, found, &mut out)?;
        assert_eq!(out.len(), expected, "replacement_len promised another length");
        copied = found.end();
        count += 1;
    }
    out.extend_from_slice(&case.subject[copied..]);
    Ok(vec![Plain::Text(out), Plain::Number(f64::from(count))])
}

fn gmatch(case: &Case) -> Result<Vec<Plain>, Stop> {
    let mut search = Search::new(&case.pattern, 0, Caret::Literal);
    let (mut turns, mut left) = (Vec::new(), MAX_STEPS);
    while advance(&mut search, case, &mut left)? {
        let found = search.found();
        let all = values(found, &case.subject, found.value_count())?.into_iter().map(text);
        let three: Vec<Vec<u8>> = all.chain(std::iter::repeat(b"nil".to_vec())).take(3).collect();
        turns.push(three.join(&b';'));
    }
    Ok(vec![Plain::Text(turns.join(&b'|'))])
}

fn text(value: Plain) -> Vec<u8> {
    match value {
        Plain::Text(text) => text,
        Plain::Number(number) => number.to_string().into_bytes(),
        other => panic!("a capture is {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(pattern: &str, subject: &str) {
        let template = b"<%1>".to_vec();
        check(&Case { subject: subject.into(), pattern: pattern.into(), template, init: 0, slice: 1 });
    }

    #[test]
    fn ordinary_patterns_agree() {
        for pattern in
            ["b", "a*", "(a)(b)", "()b()", "^.-$", "%b()", "%f[%w]%w+", "[", "%", "(", "%1", ")", ""]
        {
            agrees(pattern, "aab (abc) é");
        }
    }

    #[test]
    fn a_search_that_takes_long_is_not_given_to_the_reference() {
        agrees("a*a*a*a*a*a*a*a*b", &"a".repeat(300));
    }
}
