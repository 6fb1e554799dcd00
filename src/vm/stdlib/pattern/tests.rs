//! The matcher from outside: what natives do with it, in slices of steps as small as can be.

use super::*;

/// What `find` (without its captures), `match` or a turn of `gmatch` gives.
pub(super) type Values = Vec<Value>;

/// A value on its way to a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Bytes(Vec<u8>),
    Position(usize),
}

/// Advances with at most `slice` steps a call, as a native that pauses would.
pub(super) fn advance(search: &mut Search, subject: &[u8], pattern: &[u8], slice: u32) -> Progress {
    loop {
        let mut steps = slice;
        let progress = search.advance(subject, pattern, &mut steps);
        if progress != Progress::OutOfSteps {
            return progress;
        }
        assert_eq!(steps, 0, "stopped with steps left");
    }
}

pub(super) fn values(found: &Matcher, subject: &[u8], count: usize) -> Result<Values, PatternError> {
    let value = |index| {
        Ok(match found.capture(index)? {
            Capture::Slice(start, end) => Value::Bytes(subject[start..end].to_vec()),
            Capture::Position(position) => Value::Position(position),
        })
    };
    (0..count).map(value).collect()
}

/// `string.find`: offsets as Lua counts them, and captures.
pub(super) type Found = Option<(usize, usize, Values)>;

pub(super) fn find(subject: &[u8], pattern: &[u8], init: usize, slice: u32) -> Result<Found, PatternError> {
    if !has_specials(pattern) {
        let start = find_plain(subject, pattern, init);
        return Ok(start.map(|start| (start + 1, start + pattern.len(), Vec::new())));
    }
    let mut search = Search::new(pattern, init, Caret::Anchor);
    match advance(&mut search, subject, pattern, slice) {
        Progress::Matched => {
            let found = search.found();
            let values = values(found, subject, found.capture_count())?;
            Ok(Some((found.start() + 1, found.end(), values)))
        }
        Progress::Error(error) => Err(error),
        Progress::Failed | Progress::OutOfSteps => Ok(None),
    }
}

/// `string.gmatch`, all turns.
pub(super) fn gmatch(subject: &[u8], pattern: &[u8], slice: u32) -> Result<Vec<Values>, PatternError> {
    let mut search = Search::new(pattern, 0, Caret::Literal);
    let mut turns = Vec::new();
    loop {
        match advance(&mut search, subject, pattern, slice) {
            Progress::Matched => turns.push(values(search.found(), subject, search.found().value_count())?),
            Progress::Error(error) => return Err(error),
            Progress::Failed | Progress::OutOfSteps => return Ok(turns),
        }
    }
}

/// `string.gsub` with a text.
pub(super) fn gsub(
    subject: &[u8],
    pattern: &[u8],
    template: &[u8],
    slice: u32,
) -> Result<(Vec<u8>, usize), PatternError> {
    let mut search = Search::new(pattern, 0, Caret::Anchor);
    let (mut out, mut copied, mut count) = (Vec::new(), 0, 0);
    loop {
        match advance(&mut search, subject, pattern, slice) {
            Progress::Matched => {
                let found = search.found();
                out.extend_from_slice(&subject[copied..found.start()]);
                let expected = out.len() + replacement_len(template, found)?;
                append_replacement(template, subject, found, &mut out)?;
                assert_eq!(out.len(), expected, "replacement_len promised another length");
                copied = found.end();
                count += 1;
            }
            Progress::Error(error) => return Err(error),
            Progress::Failed | Progress::OutOfSteps => break,
        }
    }
    out.extend_from_slice(&subject[copied..]);
    Ok((out, count))
}

fn first_values(subject: &str, pattern: &str) -> Option<Values> {
    let mut search = Search::new(pattern.as_bytes(), 0, Caret::Anchor);
    let progress = advance(&mut search, subject.as_bytes(), pattern.as_bytes(), 3);
    (progress == Progress::Matched)
        .then(|| values(search.found(), subject.as_bytes(), search.found().value_count()).unwrap())
}

#[test]
fn matches_items_repetitions_and_captures() {
    let text = |text: &str| Value::Bytes(text.as_bytes().to_vec());
    for (subject, pattern, expected) in [
        ("hello world", "o w", Some(vec![text("o w")])),
        ("key = value", "(%w+)%s*=%s*(%w+)", Some(vec![text("key"), text("value")])),
        ("THE (quick) fox", "%((%a+)%)", Some(vec![text("quick")])),
        ("THE (quick) fox", "%f[%a]%a+%f[%A]", Some(vec![text("THE")])),
        ("f(a(b)c)d", "%b()", Some(vec![text("(a(b)c)")])),
        ("\"it's\" x", "([\"'])(.-)%1", Some(vec![text("\""), text("it's")])),
        ("abc", "()b()", Some(vec![Value::Position(2), Value::Position(3)])),
        ("aaa", "a-$", Some(vec![text("aaa")])),
        ("aaab", "^a*b", Some(vec![text("aaab")])),
        ("xaaab", "^a*b", None),
        ("a$b^c", "$b^", Some(vec![text("$b^")])),
        ("[]-x", "[]%-x]+", Some(vec![text("]-x")])),
        ("a\0b", "%z", Some(vec![text("\0")])),
        ("a\0b", "\0b", Some(vec![text("\0b")])),
        ("0x1F!", "%x+!", Some(vec![text("1F!")])),
        ("", "", Some(vec![text("")])),
        ("abc", "((a)(b)(c))", Some(vec![text("abc"), text("a"), text("b"), text("c")])),
    ] {
        assert_eq!(first_values(subject, pattern), expected, "{subject:?} {pattern:?}");
    }
}

#[test]
fn faults_are_named_as_in_reference_lua() {
    for (pattern, expected) in [
        ("%", "malformed pattern (ends with '%')"),
        ("[a", "malformed pattern (missing ']')"),
        ("[]", "malformed pattern (missing ']')"),
        ("[^]", "malformed pattern (missing ']')"),
        ("[a%", "malformed pattern (missing ']')"),
        ("[a%]", "malformed pattern (missing ']')"),
        ("a+)", "invalid pattern capture"),
        ("(a", "unfinished capture"),
        ("%fa", "missing '[' after '%f' in pattern"),
        ("%f", "missing '[' after '%f' in pattern"),
        ("%1", "invalid capture index"),
        ("(a)%0", "invalid capture index"),
        ("(a%1)", "invalid capture index"),
        ("%b", "unbalanced pattern"),
        ("%bx", "unbalanced pattern"),
        (&"()".repeat(33), "too many captures"),
        (&"a?".repeat(201), "pattern too complex"),
    ] {
        let subject = [b'a'; 300];
        let error = find(&subject, pattern.as_bytes(), 0, 5).expect_err(pattern);
        assert_eq!(error.to_string(), expected, "{pattern:?}");
    }
    assert_eq!(find(b"b", b"a[", 0, 5), Ok(None), "a fault that is not reached");
    assert!(find(&[b'a'; 300], "()".repeat(32).as_bytes(), 0, 5).unwrap().is_some());
}

#[test]
fn gsub_counts_empty_matches_as_lua_5_1_does() {
    for (subject, pattern, template, expected, count) in [
        ("abc", "x*", "-", "-a-b-c-", 4),
        ("hello world", "%w*", "x", "xx xx", 4),
        ("abc", "%w", "%0%0", "aabbcc", 3),
        ("hello world", "(%w+) (%w+)", "%2 %1", "world hello", 1),
        ("abab", "^a", "x", "xbab", 1),
        ("abc", "()", "%1", "1a2b3c4", 4),
        ("abc", "b", "%%", "a%c", 1),
        ("abc", "b", "%", "a\0c", 1),
        ("abc", "b", "%x", "axc", 1),
        ("", "", "x", "x", 1),
        ("", "^", "x", "x", 1),
        ("a(b", "(b", "x", "a(x", 1),
    ] {
        let result = gsub(subject.as_bytes(), pattern.as_bytes(), template.as_bytes(), 2);
        assert_eq!(result, Ok((expected.as_bytes().to_vec(), count)), "{subject:?} {pattern:?}");
    }
    assert_eq!(gsub(b"abc", b"(b)", b"%2", 9), Err(PatternError::InvalidCaptureIndex));
    assert_eq!(gsub(b"abc", b"(b", b"%1", 9), Err(PatternError::UnfinishedCapture));
}

#[test]
fn gmatch_takes_the_caret_for_a_byte() {
    let text = |text: &str| vec![Value::Bytes(text.as_bytes().to_vec())];
    assert_eq!(gmatch(b"a^ab", b"^a", 1), Ok(vec![text("^a")]));
    assert_eq!(gmatch(b"one two", b"%a+", 1), Ok(vec![text("one"), text("two")]));
    assert_eq!(gmatch(b"ab", b"x*", 1).unwrap().len(), 3);
}

#[test]
fn a_search_begins_where_it_is_told() {
    assert_eq!(find(b"abab", b"a", 1, 9), Ok(Some((3, 3, vec![]))));
    assert_eq!(find(b"abab", b"^b", 1, 9), Ok(Some((2, 2, vec![]))));
    assert_eq!(find(b"abab", b"$", 4, 9), Ok(Some((5, 4, vec![]))));
    assert_eq!(find(b"abab", b"", 5, 9), Ok(None));
    assert_eq!(find(b"abab", b"^", usize::MAX, 9), Ok(None));
}

/// Runs a search to its end in slices and says how many steps it took; gives up at `most`.
fn steps_taken(subject: &[u8], pattern: &[u8], slice: u32, most: u64) -> Option<u64> {
    let mut search = Search::new(pattern, 0, Caret::Anchor);
    let mut taken = 0;
    while taken < most {
        let mut steps = slice;
        let progress = search.advance(subject, pattern, &mut steps);
        taken += u64::from(slice - steps);
        if progress != Progress::OutOfSteps {
            return Some(taken);
        }
    }
    None
}

#[test]
fn hostile_patterns_stop_when_the_steps_do() {
    let many_a = vec![b'a'; 3_000];
    assert_eq!(steps_taken(&many_a, b"a*a*a*a*a*a*a*b", 1_000, 1_000_000), None);
    assert_eq!(steps_taken(&many_a, b".-.-.-.-.-b", 1_000, 1_000_000), None);
    let openers = vec![b'('; 100_000];
    assert_eq!(steps_taken(&openers, b"%b()", 1_000, 1_000_000), None);
    assert_eq!(steps_taken(&many_a, b"(.*)%1%1b", 1_000, 1_000_000), None);
}

#[test]
fn work_that_cannot_be_divided_is_paid_for_afterwards() {
    let pattern = [b"[", &[b'x'; 50_000][..], b"]"].concat();
    let taken = steps_taken(b"abc", &pattern, 100, u64::MAX).unwrap();
    assert!((50_000..51_000).contains(&taken), "{taken}");
    let subject = [&[b'a'; 10_000][..], b"b", &[b'a'; 10_000][..], b"c"].concat();
    let taken = steps_taken(&subject, b"^(a*)b%1c", 100, u64::MAX).unwrap();
    assert!((20_000..21_000).contains(&taken), "{taken}");
}

#[test]
fn many_sets_are_matched_beyond_those_that_are_kept() {
    let pattern: String = ('a'..='z').map(|letter| format!("[{letter}]")).collect();
    let subject: String = ('a'..='z').collect();
    let subject = format!("xx{subject}{subject}");
    assert_eq!(find(subject.as_bytes(), pattern.as_bytes(), 0, 7), Ok(Some((3, 28, vec![]))));
    assert_eq!(gsub(subject.as_bytes(), pattern.as_bytes(), b"-", 7), Ok((b"xx--".to_vec(), 2)));
}

#[test]
fn the_size_of_the_slices_changes_nothing() {
    let subject = b"the (quick (brown)) fox  = 'jumps' over\nthe lazy dog";
    for pattern in
        ["%b()", "(%a+)%s*=%s*'(.-)'", "[%w_]+$", "%f[%w]%w+%f[%W]", "(.)%1", ".-g", "x*", "(o)(.*)%1"]
    {
        let pattern = pattern.as_bytes();
        let whole =
            (gsub(subject, pattern, b"<%0>", u32::MAX), steps_taken(subject, pattern, 1 << 20, u64::MAX));
        for slice in [1, 2, 3, 7, 50] {
            assert_eq!(gsub(subject, pattern, b"<%0>", slice), whole.0);
            assert_eq!(steps_taken(subject, pattern, slice, u64::MAX), whole.1, "{pattern:?}");
        }
    }
}

#[test]
fn another_subject_or_pattern_midway_is_no_danger() {
    let texts: [&[u8]; 5] = [b"", b"a", b"((((((((", b"[", b"aaaaaaaaaaaaaaaaaaaaab"];
    let patterns: [&[u8]; 8] = [b"", b"%", b"[", b"(a*)%1*b", b"%b()", b"((a-)b", b"[^x]*$", b"(.*)%1c"];
    for slice in 1..6 {
        let mut search = Search::new(patterns[3], 0, Caret::Anchor);
        for turn in 0..2_000usize {
            let mut steps = slice;
            let progress = search.advance(texts[turn % 5], patterns[turn / 3 % 8], &mut steps);
            if progress == Progress::Matched {
                let _ = search.found().capture(0);
                let _ = append_replacement(b"%0%1%2", texts[turn % 5], search.found(), &mut Vec::new());
            } else if progress != Progress::OutOfSteps {
                search = Search::new(patterns[turn % 8], turn % 30, Caret::Literal);
            }
        }
    }
}

#[test]
fn a_search_with_the_memory_of_another_is_like_a_new_one() {
    let subject = b"one (two) [three] (four";
    let patterns: [&[u8]; 6] = [b"([%w]+)", b"%b()", b"([^%w]+)(.)%1", b"[(]()", b"(", b"[t]..-e"];
    for before in patterns {
        for pattern in patterns {
            let mut used = Search::new(before, 0, Caret::Literal);
            let _ = used.advance(subject, before, &mut 9);
            let mut reusing = Search::reusing(used.into_matcher(), pattern, 3, Caret::Anchor);
            let mut new = Search::new(pattern, 3, Caret::Anchor);
            for _ in 0..5 {
                let (mut steps, mut steps_of_new) = (1_000, 1_000);
                let progress = reusing.advance(subject, pattern, &mut steps);
                assert_eq!(progress, new.advance(subject, pattern, &mut steps_of_new));
                assert_eq!(steps, steps_of_new, "{before:?} {pattern:?}");
                if progress == Progress::Matched {
                    let found = |search: &Search| values(search.found(), subject, 1);
                    assert_eq!(found(&reusing), found(&new));
                }
            }
        }
    }
}

#[test]
fn what_no_match_can_start_with_is_passed_at_a_step_a_byte() {
    let blanks = vec![b' '; 10_000];
    for pattern in ["%a+", "(%w+)=(%w+)", "[%a_][%w_]*"] {
        let taken = steps_taken(&blanks, pattern.as_bytes(), 100, u64::MAX).unwrap();
        assert!((10_000..10_020).contains(&taken), "{pattern}: {taken}");
    }
    assert_eq!(find(b"   ", b"(%a", 0, 5), Ok(None));
    assert_eq!(find(b"  a", b"(%a", 0, 5), Err(PatternError::UnfinishedCapture));
    assert_eq!(find(b"   ", b"[%a", 0, 5), Err(PatternError::MissingBracket));
}

#[test]
fn plain_text_is_found_in_linear_time() {
    assert_eq!(find_plain(b"a.b.c", b".", 2), Some(3));
    assert_eq!(find_plain(b"abc", b"", 3), Some(3));
    assert_eq!(find_plain(b"abc", b"", 4), None);
    assert_eq!(find_plain(b"abc", b"abcd", 0), None);
    let haystack = vec![b'a'; 1 << 22];
    let needle = [&haystack[..1 << 21], b"b"].concat();
    assert_eq!(find_plain(&haystack, &needle, 0), None);
}

#[test]
fn knows_which_patterns_are_plain_text() {
    for special in ["^a", "a$", "a*", "a+", "a?", "a.b", "(a", "[a", "%a", "a-b"] {
        assert!(has_specials(special.as_bytes()), "{special}");
    }
    assert!(!has_specials(b"a]b) c\0"));
}
