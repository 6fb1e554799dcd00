//! Thousands of made-up patterns, against reference Lua.

use super::PatternError;
use super::tests::{Value, Values, find, gmatch, gsub};
use crate::vm::stdlib::oracle;
use crate::vm::stdlib::random::Random;

const PATTERN_PIECES: [&str; 44] = [
    "a", "b", "a", "b", "x", "1", " ", ".", "%a", "%d", "%w", "%s", "%A", "%p", "%.", "[ab]", "[^a]",
    "[%d%s]", "[a-c]", "[]a]", "[^]x]", "[a-]", "[%a-x]", "[%", "[a-%]", "*", "*", "+", "-", "?", "(", "(",
    ")", ")", "()", "^", "$", "%1", "%2", "%b()", "%bab", "%f[%w]", "%f[^a]", "%",
];
const SUBJECT_PIECES: [&str; 12] = ["a", "a", "b", "b", "c", "x", "1", " ", "(", ")", "-", "\u{e9}"];
const TEMPLATES: [&str; 6] = ["-", "<%0>", "%1", "%2%1", "%%%x", "%1%"];

struct Source(Random);

impl Source {
    fn pick<'p>(&mut self, from: &[&'p str]) -> &'p str {
        from[self.0.range(0, from.len() as i64 - 1).unwrap() as usize]
    }

    fn text(&mut self, pieces: &[&str], most: i64) -> Vec<u8> {
        let count = self.0.range(0, most).unwrap();
        (0..count).map(|_| self.pick(pieces)).collect::<String>().into_bytes()
    }

    fn slice(&mut self) -> u32 {
        self.0.range(1, 8).unwrap() as u32
    }
}

fn shown(values: Values) -> String {
    let shown = values.into_iter().map(|value| match value {
        Value::Bytes(bytes) => oracle::show_bytes(&bytes),
        Value::Position(position) => position.to_string(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// A result as `show(pcall(…))` prints it.
fn protected(result: Result<String, PatternError>) -> String {
    let line = match result {
        Ok(line) => format!("true {line}"),
        Err(error) => format!("false {}", oracle::show_bytes(error.to_string().as_bytes())),
    };
    line.trim_end().to_owned()
}

fn compare(cases: &[String], ours: &[String]) {
    if let Some(reference) = oracle::reference_lines(&cases.join("\n"), "UTC") {
        oracle::assert_same(cases, ours, &reference);
    }
}

#[test]
fn find_agrees_with_reference_lua() {
    let mut source = Source(Random::new(1));
    let (mut cases, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..6_000 {
        let subject = source.text(&SUBJECT_PIECES, 14);
        let pattern = source.text(&PATTERN_PIECES, 7);
        let init = source.0.range(0, 3).unwrap().min(subject.len() as i64) as usize;
        let (s, p) = (oracle::literal(&subject), oracle::literal(&pattern));
        cases.push(format!("show(pcall(string.find, {s}, {p}, {}))", init + 1));
        let found = find(&subject, &pattern, init, source.slice());
        ours.push(protected(found.map(|found| match found {
            Some((start, end, values)) => format!("{start} {end} {}", shown(values)),
            None => "nil".to_owned(),
        })));
    }
    compare(&cases, &ours);
}

#[test]
fn gsub_agrees_with_reference_lua() {
    let mut source = Source(Random::new(2));
    let (mut cases, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..4_000 {
        let subject = source.text(&SUBJECT_PIECES, 14);
        let pattern = source.text(&PATTERN_PIECES, 5);
        let template = source.pick(&TEMPLATES).as_bytes();
        let [s, p, t] = [&subject[..], &pattern, template].map(oracle::literal);
        cases.push(format!("show(pcall(string.gsub, {s}, {p}, {t}))"));
        let result = gsub(&subject, &pattern, template, source.slice());
        ours.push(protected(result.map(|(text, count)| format!("{} {count}", oracle::show_bytes(&text)))));
    }
    compare(&cases, &ours);
}

#[test]
fn gmatch_agrees_with_reference_lua() {
    let mut source = Source(Random::new(3));
    let mut cases = Vec::new();
    let mut ours = Vec::new();
    for _ in 0..2_000 {
        let subject = source.text(&SUBJECT_PIECES, 14);
        let pattern = source.text(&PATTERN_PIECES, 4);
        let (s, p) = (oracle::literal(&subject), oracle::literal(&pattern));
        cases.push(format!(
            "show(without_place(pcall(function() local all = {{}} for a, b, c in string.gmatch({s}, {p}) do \
             all[#all + 1] = tostring(a) .. tostring(b) .. tostring(c) end return table.concat(all, ';') end)))"
        ));
        let turns = gmatch(&subject, &pattern, source.slice());
        ours.push(protected(turns.map(|turns| {
            let joined: Vec<Vec<u8>> = turns.into_iter().map(first_three).collect();
            oracle::show_bytes(&joined.join(&b';'))
        })));
    }
    compare(&cases, &ours);
}

fn first_three(values: Values) -> Vec<u8> {
    let texts = values.into_iter().map(|value| match value {
        Value::Bytes(bytes) => bytes,
        Value::Position(position) => position.to_string().into_bytes(),
    });
    texts.chain(std::iter::repeat(b"nil".to_vec())).take(3).collect::<Vec<_>>().concat()
}
