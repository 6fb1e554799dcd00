//! How exactly the limits hold: `cargo bench --no-default-features --bench limits`, or `just bench-limits`.
//!
//! Three tables over hostile scripts. The most heap that the allocator gave out, the longest single step, and
//! how late the deadline fired. The tests assert the same with room for slow builds and busy machines;
//! these are the exact figures, of a released build. The longest of several runs counts for times that depend
//! on luck.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints its figures and fails by panicking"
)]

#[path = "../vm-tests/measure.rs"]
mod measure;

use std::fs;
use std::path::Path;
use std::time::Duration;

use goop2::vm::{Entry, Limits, Program};
use measure::{Measured, measure};
use serde_json::Value as Json;

/// Short, because most of these scripts run until they are stopped; the real memory limit.
const LIMITS: Limits = Limits { time: Duration::from_millis(300), memory_bytes: 10 * 1024 * 1024 };

/// The longest step wanted, and the latest end.
const WANTED_STEP: Duration = Duration::from_millis(50);
const WANTED_LATENESS: Duration = Duration::from_millis(50);

/// The shortest of so many runs is the script's: the others were interrupted by something else.
const ROUNDS: usize = 3;

/// Scripts that make one step or one instruction as long as they can. A step is 64 instructions, each of which may
/// go over a whole string.
const STEPS: &[(&str, &str)] = &[
    ("arithmetic on a long numeral", "local s = ('1'):rep(131072) while true do local a = s + 0 end"),
    (
        "arithmetic on long numerals, unrolled",
        "local s = ('1'):rep(131072) while true do local a = s + s + s + s + s + s + s + s + s + s + s + s + s + s + s + s end",
    ),
    (
        "arithmetic on a long numeral of zeros",
        "local s = ('0'):rep(131071) .. '1' while true do local a = s + s + s + s + s + s + s + s + s + s + s + s end",
    ),
    (
        "arithmetic on long text that is no number",
        "local s = ('1'):rep(4194303) .. 'x' local function f() return s + 0 end while true do pcall(f) end",
    ),
    (
        "arithmetic on blanks around a digit",
        "local s = (' '):rep(131071) .. '1' while true do local a = s * s * s * s * s * s * s * s * s * s end",
    ),
    (
        "minus of a long numeral",
        "local s = ('1'):rep(131072) while true do local a, b, c, d, e, f = -s, -s, -s, -s, -s, -s end",
    ),
    (
        "modulo of a long numeral",
        "local s = ('1'):rep(131072) local function f() return s % s end while true do pcall(f) end",
    ),
    (
        "bits of a long numeral",
        "local s = ('0'):rep(131071) .. '1' local function f() return s & s | s ~ s end while true do pcall(f) end",
    ),
    (
        "a loop from a long numeral",
        "local s = ('0'):rep(131071) .. '1' local function f() for i = s, s, s do end end while true do pcall(f) end",
    ),
    (
        "natives with a long numeral",
        "local s = ('1'):rep(131072) while true do pcall(math.floor, s) pcall(math.max, s, s, s) tonumber(s) tonumber(s, 10) end",
    ),
    (
        "equality of long strings",
        "local a, b = ('x'):rep(2000000), ('x'):rep(2000000 - 1) .. 'x' while true do local c = a == b == (a == b) == (a == b) == (a == b) == (a == b) == (a == b) end",
    ),
    (
        "order of long strings",
        "local a, b = ('x'):rep(2000000), ('x'):rep(2000000 - 1) .. 'x' while true do local c, d, e, f, g, h = a < b, a < b, a < b, a < b, a < b, a < b end",
    ),
    (
        "long strings as keys",
        "local s, t = ('x'):rep(4194304), {} while true do t[s] = t[s] or t[s] or t[s] or t[s] or t[s] or t[s] or t[s] end",
    ),
    (
        "long strings as keys that differ",
        "local s, r, t = ('x'):rep(2000000), ('x'):rep(1999999) .. 'y', {} while true do t[s] = t[r] or t[r] or t[r] or t[r] t[r] = nil end",
    ),
    (
        "length of a cleared list",
        "local t = {} for i = 1, 300000 do t[i] = i end for i = 1, 300000 do t[i] = nil end while true do local a, b, c, d, e, f = #t, #t, #t, #t, #t, #t end",
    ),
    (
        "length of a list with holes",
        "local t = {} for i = 1, 100000 do t['k' .. i] = nil t[i] = i end for i = 2, 100000, 2 do t[i] = nil end while true do local a, b, c, d = #t, #t, #t, #t end",
    ),
    (
        "next over a cleared table",
        "local t = {} for i = 1, 100000 do t['k' .. i] = i end for k in pairs(t) do t[k] = nil end while true do next(t) next(t) next(t) next(t) end",
    ),
    (
        "next over a cleared list",
        "local t = {} for i = 1, 500000 do t[i] = i end for i = 1, 500000 do t[i] = nil end while true do next(t) next(t) next(t) next(t) end",
    ),
    (
        "insert at the front of a long list",
        "local t = {} for i = 1, 500000 do t[i] = i end while true do table.insert(t, 1, 1) table.remove(t, 1) end",
    ),
    ("maxn of a long list", "local t = {} for i = 1, 500000 do t[i] = i end while true do table.maxn(t) end"),
    (
        "unpack of many values",
        "local t = {} for i = 1, 7900 do t[i] = i end while true do select('#', unpack(t)) math.max(unpack(t)) end",
    ),
    (
        "table.concat of many entries",
        "local t = {} for i = 1, 400000 do t[i] = 1.1 end while true do local s = table.concat(t) end",
    ),
    (
        "table.concat of long strings",
        "local s = ('x'):rep(1000000) local t = { s, s, s, s } while true do local r = table.concat(t) end",
    ),
    ("upper of a long string", "local s = ('x'):rep(4000000) while true do local r = s:upper() r = nil end"),
    (
        "upper of a string in the way of the collector",
        "local s = ('x'):rep(2000000) while true do local a = s:upper() local b = s:lower() local c = s:reverse() end",
    ),
    ("rep of one byte", "while true do local s = ('x'):rep(4194304) s = nil end"),
    ("rep of two bytes", "while true do local s = ('xy'):rep(2097152) s = nil end"),
    ("concatenation of long strings", "local s = ('x'):rep(2000000) while true do local r = s .. s end"),
    (
        "concatenation of numbers",
        "local n = 1 / 3 while true do local r = n .. n .. n .. n .. n .. n .. n .. n .. n .. n .. n .. n .. n end",
    ),
    (
        "format of wide floats",
        "local f = ('%99.99f'):rep(3000) local t = {} for i = 1, 3000 do t[i] = 1e300 end while true do f:format(unpack(t)) end",
    ),
    (
        "format of small floats",
        "local f = ('%.99e'):rep(3000) local t = {} for i = 1, 3000 do t[i] = 2^-1074 end while true do f:format(unpack(t)) end",
    ),
    ("format that quotes", "local s = ('\\0'):rep(800000) while true do local r = ('%q'):format(s) end"),
    (
        "format that quotes in place",
        "local s = ('x'):rep(4000000) while true do local r = ('%q'):format(s) r = nil end",
    ),
    (
        "plain find",
        "local s = ('a'):rep(4000000) while true do s:find('b', 1, true) s:find('ab', 1, true) end",
    ),
    (
        "plain find of a long text",
        "local s, p = ('a'):rep(2500000), ('a'):rep(1250000) .. 'b' while true do s:find(p, 1, true) end",
    ),
    (
        "plain find from the front",
        "local s, p = ('ab'):rep(1250000), ('ba'):rep(600000) .. 'c' while true do s:find(p, 1, true) end",
    ),
    ("backtracking", "while true do pcall(string.match, ('a'):rep(3000), 'a*a*a*a*a*a*a*b') end"),
    (
        "back references to long captures",
        "local s = ('a'):rep(2000000) while true do pcall(string.match, s, '(a*)%1b') pcall(string.match, s .. s, '^(a-)%1b') end",
    ),
    (
        "a long set",
        "local s, p = ('a'):rep(100000), '[' .. ('b-c'):rep(300000) .. ']' while true do s:match(p) end",
    ),
    ("a search for a byte that is absent", "local s = ('a'):rep(4000000) while true do s:match('b.') end"),
    (
        "a long template",
        "local s, r = ('a'):rep(100), ('%0'):rep(200000) while true do pcall(string.gsub, s, 'a', r, 1) end",
    ),
    (
        "a long template without captures",
        "local s, r = 'a', ('x'):rep(2000000) while true do pcall(string.gsub, s, 'a', r, 1) end",
    ),
    (
        "captures of all of a long string",
        "local s = ('a'):rep(60000) while true do s:match(('(') :rep(32) .. '.*' .. (')'):rep(32)) end",
    ),
    ("os.date with a long format", "local f = ('%c'):rep(100000) while true do local r = os.date(f) end"),
    (
        "os.date with a long format that fails",
        "local f = ('%c'):rep(1000000) .. '%' while true do pcall(os.date, f) end",
    ),
    ("os.date of plain text", "local f = ('x'):rep(2000000) while true do local r = os.date(f) end"),
    (
        "os.date with all fields",
        "while true do os.date('*t', 2^40) os.time({ year = 2000, month = 1, day = 1 }) end",
    ),
    (
        "tostring of floats",
        "while true do local a, b, c, d = tostring(1e300 / 3), tostring(2^-1074), tostring(1 / 3), tostring(1e-300 / 7) end",
    ),
    ("error with a long message", "local s = ('x'):rep(2000000) while true do pcall(error, s) end"),
    ("assert with a long message", "local s = ('x'):rep(2000000) while true do pcall(assert, false, s) end"),
    ("print of long text", "local s = ('x'):rep(4000000) while true do print(s, s, s) end"),
    (
        "print of many values",
        "local t = {} for i = 1, 7900 do t[i] = i / 3 end while true do print(unpack(t)) end",
    ),
    (
        "char of many values",
        "local t = {} for i = 1, 7900 do t[i] = 65 end while true do local s = string.char(unpack(t)) end",
    ),
    ("byte of many values", "local s = ('x'):rep(7900) while true do select('#', s:byte(1, -1)) end"),
    (
        "select of many values",
        "local t = {} for i = 1, 7900 do t[i] = i end local function f(...) while true do select(-1, ...) select(1, ...) end end f(unpack(t))",
    ),
    (
        "varargs in tables",
        "local t = {} for i = 1, 7900 do t[i] = i end local function f(...) while true do local a, b, c = {...}, {...}, {...} end end f(unpack(t))",
    ),
    (
        "encoding an emptied table, often",
        // The result of `call` is encoded in one step.
        "function call() local c, p = {}, {} for i = 1, 100000 do c['k' .. i] = 1 end for i = 1, 100000 do c['k' .. i] = nil end for i = 1, 60000 do p[i] = c end return p end",
    ),
    (
        "encoding many values",
        "function call() local p = {} for i = 1, 33000 do p[i] = { a = i, b = 'x' } end return p end",
    ),
    (
        "encoding many floats",
        "function call() local p = {} for i = 1, 40000 do p[i] = i / 3 end return p end",
    ),
    ("a growing list", "local t, i = {}, 0 while true do i = i + 1 t[i] = i end"),
    ("growing keys", "local t, i = {}, 0 while true do i = i + 0.5 t[i] = i end"),
    ("a growing stack", "local function f() return 1 + f() end f()"),
    (
        "keys that collide",
        "local t = {} for i = 1, 40000 do t[i * 2^32] = i end while true do local x = t[2^60] end",
    ),
    (
        "a chain of __index",
        "local t = {} for i = 1, 20000 do t = setmetatable({}, { __index = t }) end while true do local x = t.missing end",
    ),
    (
        "a chain of __newindex",
        "local t = {} for i = 1, 20000 do t = setmetatable({}, { __newindex = t }) end while true do t.missing = nil end",
    ),
    (
        "a chain of __call",
        "local t = function() end for i = 1, 20000 do t = setmetatable({}, { __call = t }) end while true do t() end",
    ),
    (
        "sort of a long list",
        "local t = {} while true do for i = 1, 200000 do t[i] = (i * 7919) % 100003 end table.sort(t) end",
    ),
    (
        "sort of long equal strings",
        "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(4000) .. i % 7 end while true do table.sort(t) end",
    ),
    (
        "sort of one long string",
        "local s, r = ('x'):rep(2000000), ('x'):rep(2000000 - 1) .. 'x' local t = {} for i = 1, 5000 do t[i] = i % 2 == 0 and s or r end while true do table.sort(t) end",
    ),
    (
        "sort by a long key that is there as another string",
        "local s, r = ('x'):rep(2600000) .. 'y', ('x'):rep(2600000) .. 'y' local k, l = { [s] = 1 }, {} for i = 1, 2000 do l[i] = k end while true do table.sort(l, function(a, b) local r, x = r x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] x = a[r] return false end) end",
    ),
    (
        "a long list of pieces collected",
        "local t = {} for i = 1, 60000 do t[i] = { i } end while true do local s = ('x'):rep(2000000) end",
    ),
];

fn main() {
    let mut rows = rows();
    // Syntax errors are never run.
    rows.retain(|row| Program::compile(&row.name, &row.source).is_ok());
    let measured: Vec<(String, Measured)> =
        rows.into_iter().map(|row| (row.name.clone(), shortest(&row))).collect();
    table("The most heap, in MB; limit 10", &measured, |m| m.run_heap_bytes as f64 / 1_048_576.0, f64::MAX);
    let wanted = WANTED_STEP.as_secs_f64() * 1e3;
    table("The longest step, in ms", &measured, |m| m.longest_slice.as_secs_f64() * 1e3, wanted);
    let wanted = WANTED_LATENESS.as_secs_f64() * 1e3;
    let late: Vec<_> = measured.into_iter().filter(|(_, m)| m.kind == "timeout").collect();
    table(
        "How late the deadline fired, in ms, with what it takes to free the memory",
        &late,
        |m| m.run.saturating_sub(LIMITS.time).as_secs_f64() * 1e3,
        wanted,
    );
}

/// The largest figures of a column.
fn table(title: &str, rows: &[(String, Measured)], figure: fn(&Measured) -> f64, wanted: f64) {
    const SHOWN: usize = 20;
    let mut sorted: Vec<(f64, &str, &str)> =
        rows.iter().map(|(name, m)| (figure(m), name.as_str(), m.kind.as_str())).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("{title}; the largest {SHOWN} of {}", sorted.len());
    for (figure, name, kind) in sorted.iter().take(SHOWN) {
        let missed = if *figure > wanted { "(missed)" } else { "" };
        println!("  {figure:>9.3}  {name} [{kind}] {missed}");
    }
    println!();
}

struct Row {
    name: String,
    source: Vec<u8>,
    entry: Entry,
}

fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile");
    let mut rows: Vec<Row> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            Row { name, source: fs::read(&path).unwrap(), entry: Entry::Handle(String::new()) }
        })
        .collect();
    rows.extend(STEPS.iter().map(|(name, source)| Row {
        name: (*name).to_owned(),
        source: source.as_bytes().to_vec(),
        entry: if source.starts_with("function call") { Entry::Call(Json::Null) } else { Entry::Chunk },
    }));
    // Cargo adds flags of its own, such as `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    rows.retain(|row| wanted.is_empty() || wanted.iter().any(|part| row.name.contains(part.as_str())));
    rows
}

/// The run with the shortest longest slice.
fn shortest(row: &Row) -> Measured {
    let run = |_| measure(&row.source, row.entry.clone(), LIMITS);
    (0..ROUNDS).map(run).min_by_key(|measured| measured.longest_slice).unwrap()
}
