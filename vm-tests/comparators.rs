//! `table.sort` follows simple comparators instead of calling them, and nobody can tell: random comparators sort
//! as they do when they must be called, and fail with the same words.
//!
//! A comparator is called when it does something that cannot be followed; here a twin of each counts its
//! calls. Reference Lua is no model for this: its sort asks other questions.

use std::fmt::Write as _;
use std::time::Duration;

use goop2::vm::{Entry, Limits, Outcome};

use crate::stopped::run;

/// Comparators tried. Half a second in a debug build.
const COMPARATORS: usize = 1_500;

const LIMITS: Limits = Limits { time: Duration::from_secs(60), memory_bytes: 10 * 1024 * 1024 };

/// Lists of values that comparators meet, long enough for them to be followed: with fields that are missing, of
/// several types, and of tables with metatables.
const LISTS: &str = "
local odd = setmetatable({ v = 7 }, { __index = { w = 3, s = 'm' } })
local by_call = setmetatable({ i = 0 }, { __index = function(_, key) return key == 's' and 'call' or 11 end })
local equal = { __eq = function(a, b) return a.v == b.v end }
local function list(kind)
    local list, seed = {}, 17
    for i = 1, 70 do
        seed = (seed * 1103 + 12345) % 65537
        local record = { i = i, v = seed % 10, w = seed / 4, s = 's' .. seed % 7, ok = seed % 3 == 0, t = odd }
        record.same, record.print = setmetatable({ v = seed % 2 }, equal), i < 30 and print or type
        if kind == 2 and i > 45 then record.w = nil end
        if kind == 3 and i == 58 then record.v = 'text' end
        if kind == 4 then record.w = 0 / 0 end
        if kind == 5 and i > 30 then setmetatable(record, getmetatable(by_call)) record.v = nil end
        if kind == 6 and i > 50 then record.v = nil setmetatable(record, getmetatable(odd)) end
        list[i] = record
    end
    return list
end
local function places(list)
    local places = {}
    for i = 1, #list do places[i] = list[i].i end
    return table.concat(places, ' ')
end
limit = 5
names = { s1 = 3, s2 = 1, s3 = 2 }
local closed = { 4, 8, 2, 6, 1, 9, 3, 7, 5, 0 }
";

/// Numbers that are the same in every run.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn value(&mut self, depth: usize) -> String {
        let side = self.of(&["a", "b"]);
        match self.below(if depth == 0 { 11 } else { 15 }) {
            0..=2 => format!("{side}.v"),
            3 => format!("{side}.w"),
            4 => format!("{side}.s"),
            5 => format!(
                "{side}.{}",
                self.of(&["ok", "t", "missing", "t.v", "t.w", "missing.field", "same", "print"])
            ),
            6 => self.of(&["1", "2.5", "'s3'", "nil", "true", "limit", "x", "3", "-1", "third"]).to_owned(),
            7 => format!("open[{side}.v + 1]"),
            8 => format!("closed[{side}.v + 1]"),
            9 => format!("names[{side}.s]"),
            10 => format!("#{side}.s"),
            11 => format!("-({})", self.value(depth - 1)),
            12 => format!("({} or {})", self.value(depth - 1), self.value(depth - 1)),
            13 => format!("({} and {})", self.value(depth - 1), self.value(depth - 1)),
            _ => {
                let operator = self.of(&["+", "-", "*", "/"]);
                format!("({} {operator} {})", self.value(depth - 1), self.value(depth - 1))
            }
        }
    }

    /// The same of both records, as comparators mostly are.
    fn pair(&mut self) -> (String, String) {
        let left = self.value(1);
        if self.below(4) == 0 {
            return (left, self.value(1));
        }
        let right = left.replace("a.", "\0.").replace("b.", "a.").replace("\0.", "b.");
        (left, right)
    }

    fn condition(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 8 } else { 12 }) {
            0..=7 => {
                let (left, right) = self.pair();
                format!("{left} {} {right}", self.of(&["<", ">", "<", ">", "<=", ">=", "==", "~="]))
            }
            8 => format!("not ({})", self.condition(depth - 1)),
            9 => format!("({}) and ({})", self.condition(depth - 1), self.condition(depth - 1)),
            10 => format!("({}) or ({})", self.condition(depth - 1), self.condition(depth - 1)),
            _ => self.value(depth),
        }
    }

    /// The statements of a comparator's function.
    fn body(&mut self) -> String {
        let mut body = String::from("local x = 4 ");
        for _ in 0..self.below(3) {
            match self.below(8) {
                0..=2 => writeln!(body, "if {} then return {} end", self.condition(1), self.condition(1)),
                3 | 4 => writeln!(body, "x = {}", self.value(2)),
                5 => writeln!(
                    body,
                    "if {} then x = {} else x = {} end",
                    self.condition(1),
                    self.value(1),
                    self.value(1)
                ),
                6 => writeln!(body, "local y, z y = {} if y == z then x = y end", self.value(1)),
                _ => writeln!(
                    body,
                    "{}",
                    self.of(&[
                        "x = math.floor(2.5)",
                        "written = a.v",
                        "while x do x = nil end",
                        "calls = calls + 1"
                    ])
                ),
            }
            .unwrap();
        }
        match self.below(20) {
            0 => body,
            1 => body + "return",
            _ => body + "return " + &self.condition(2),
        }
    }
}

#[test]
fn a_comparator_that_is_followed_sorts_as_one_that_is_called() {
    let mut choices = Choices(0x5EED_0F5E_EDED);
    let mut sorted = 0;
    for number in 0..COMPARATORS {
        let (body, kind) = (choices.body(), choices.below(7));
        // Such a program keeps its callers' regions in the mark, which takes operations on bits.
        let callers = if number % 2 == 0 { "" } else { "if not limit then error('none', 2) end" };
        let parameters = choices.of(&["a, b", "a, b", "a, b", "a, b, third", "a, b, ..."]);
        let source = format!(
            "{LISTS}
function handle()
    {callers}
    local open, calls = {{ 3, 1, 2, 5, 4, 9, 6, 8, 7, 0 }}, 0
    local function less({parameters}) {body} end
    local function called(a, b) calls = calls + 1 return (less(a, b)) end
    local first, second = list({kind}), list({kind})
    local ok, error = pcall(table.sort, first, less)
    local ok_called, error_called = pcall(table.sort, second, called)
    if ok ~= ok_called or error ~= error_called then
        return 'ended differently: ' .. tostring(error) .. ' and ' .. tostring(error_called)
    end
    if places(first) ~= places(second) then return places(first) .. ' and ' .. places(second) end
    return ok and 'same order' or 'same error'
end"
        );
        let ended = run(source.as_bytes(), Entry::Handle(String::new()), LIMITS);
        let reply = match ended.result {
            Ok(Outcome::Reply(Some(reply))) => String::from_utf8(reply).unwrap(),
            other => panic!("comparator {number}: {other:?}\n{body}"),
        };
        assert!(reply.starts_with("same"), "comparator {number}, list {kind}: {reply}\n{body}");
        sorted += usize::from(reply == "same order");
    }
    assert!(sorted > COMPARATORS / 3, "only {sorted} of {COMPARATORS} comparators did not fail");
}
