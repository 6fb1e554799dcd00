//! What a hostile script can try: each must end in a typed error, soon, with bounded memory, and leave the
//! process able to run the next script.
//!
//! The rows are everything that was found to hang, abort or blow up the interpreter as published, the ways
//! around each mending that came to mind, and the scripts of `fixtures/hostile`.

use std::fs;
use std::path::Path;

use goop2::vm::{Entry, Outcome};

use crate::stopped::{Ended, HOSTILE, check_rows, run};

/// How far over the limit the memory may be between two steps: old and new buffer of a doubling table or
/// stack exist together.
const MAX_OVERSHOOT_PERCENT: usize = 260;

/// The most fuel of one slice: some milliseconds of work, in the worst case one native over a long string.
const MAX_SLICE_FUEL: u64 = 2_000_000;

/// How scripts end that the code generator has no registers for: it panics. The panic ends nothing else, but the
/// program should be refused for its shape; a row that is begins to fail here and gets its true end.
const KNOWN_DEFECT: &str = "internal";

/// A script and how it may end.
struct Hazard {
    name: String,
    source: Vec<u8>,
    /// Kinds of error with `|` between them; `reply` is an ordinary end.
    ends: String,
    entry: Entry,
}

fn check(hazard: &Hazard) -> Result<(), String> {
    let ended = run(&hazard.source, hazard.entry.clone(), HOSTILE);
    let kind = ended.kind();
    if !hazard.ends.split('|').any(|end| end == kind) {
        return Err(format!("must end in {}, ended in {kind}: {:?}", hazard.ends, ended.result));
    }
    let most = HOSTILE.memory_bytes / 100 * MAX_OVERSHOOT_PERCENT;
    if ended.stats.peak_memory_bytes > most {
        return Err(format!("held {} bytes; {most} are allowed", ended.stats.peak_memory_bytes));
    }
    if ended.longest_slice > MAX_SLICE_FUEL {
        return Err(format!("one slice used {} fuel; {MAX_SLICE_FUEL} is allowed", ended.longest_slice));
    }
    the_next_script_runs()
}

fn the_next_script_runs() -> Result<(), String> {
    let source = b"function handle(args) return 'hello ' .. args end";
    let Ended { result, .. } = run(source, Entry::Handle("you".to_owned()), HOSTILE);
    match result {
        Ok(Outcome::Reply(Some(reply))) if reply == b"hello you" => Ok(()),
        other => Err(format!("afterwards an ordinary script gave {other:?}")),
    }
}

fn check_all(rows: Vec<Hazard>) {
    check_rows(rows, |hazard| hazard.name.clone(), check);
}

fn chunk(name: &str, ends: &str, source: impl Into<Vec<u8>>) -> Hazard {
    Hazard { name: name.to_owned(), source: source.into(), ends: ends.to_owned(), entry: Entry::Chunk }
}

fn chunks(rows: &[(&str, &str, &str)]) -> Vec<Hazard> {
    rows.iter().map(|(name, ends, source)| chunk(name, ends, *source)).collect()
}

#[test]
fn fixtures_end_as_their_first_line_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile");
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let source = fs::read(&path).unwrap();
        let first = String::from_utf8_lossy(&source).lines().next().unwrap_or_default().to_owned();
        let ends = first.strip_prefix("-- ends: ").unwrap().to_owned();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        rows.push(Hazard { name, source, ends, entry: Entry::Handle(String::new()) });
    }
    assert!(!rows.is_empty());
    check_all(rows);
}

#[test]
fn strings_do_not_grow_without_asking() {
    check_all(chunks(&[
        (
            "doubling from 256 kB",
            "limit|memory",
            "local s = ('x'):rep(262144) for i = 1, 15 do s = s .. s .. s end",
        ),
        ("concatenation in an argument", "limit|memory", "local function f(s) return f(s .. s) end f('x')"),
        (
            "concatenation in a key",
            "limit|memory",
            "local s, t = 'x', {} while true do t[s .. s] = 1 s = s .. s end",
        ),
        (
            "concatenation in a constructor",
            "limit|memory",
            "local t = {'x'} while true do t = { t[1] .. t[1] .. t[1] } end",
        ),
        (
            "concatenation under a metamethod",
            "limit|memory",
            "local m m = setmetatable({}, { __concat = function(a, b) return s .. s end }) s = 'x' while true do s = m .. s end",
        ),
        (
            "concatenation of one long string, often",
            "limit|memory",
            "local s = ('x'):rep(65536) local t = s .. s .. s .. s .. s .. s .. s .. s local u = t .. t .. t .. t .. t .. t .. t .. t print(#(u .. u))",
        ),
        ("rep of 2^30", "limit|memory", "local s = string.rep('x', 2^30)"),
        ("rep of a size that wraps round", "limit|memory", "local s = ('0123456789abcdef'):rep(2^60)"),
        ("rep of nothing 2^62 times", "reply", "print(#(''):rep(2^62))"),
        ("rep, caught and tried again", "limit|memory", "while true do pcall(string.rep, 'x', 2^30) end"),
        (
            "rep of almost the memory",
            "limit|memory",
            "local t = {} for i = 1, 10 do t[i] = ('x'):rep(4000000 + i) end",
        ),
        (
            "format of 200 shared megabytes",
            "limit|memory",
            "local s = ('x'):rep(1000000) local a = {} for i = 1, 200 do a[i] = s end local f = ('%s'):rep(200) local r = f:format(unpack(a))",
        ),
        ("format with a wide field", "runtime", "string.format('%99999999d', 1)"),
        (
            "table.concat of shared megabytes",
            "limit|memory",
            "local s = ('x'):rep(1000000) local t = {} for i = 1, 1000 do t[i] = s end local r = table.concat(t)",
        ),
        (
            "table.concat with a long separator",
            "limit|memory",
            "local s = ('x'):rep(1000000) local t = {} for i = 1, 1000 do t[i] = '' end local r = table.concat(t, s)",
        ),
        ("gsub that multiplies", "limit|memory", "local s = ('x'):rep(60000) local r = s:gsub('x', s)"),
        (
            "gsub with the whole match, often",
            "limit|memory",
            "local s = ('x'):rep(100000) local r = s:gsub('.*', ('%0'):rep(1000))",
        ),
        (
            "gsub by a function of long strings",
            "limit|memory",
            "local s = ('x'):rep(100000) local r = s:gsub('x', function() return s end)",
        ),
        (
            "gsub by a table of long strings",
            "limit|memory",
            "local s = ('x'):rep(100000) local r = s:gsub('x', { x = s })",
        ),
        (
            "copies of a long string, dropped",
            "timeout|limit|memory",
            "local s = ('x'):rep(3000000) while true do s = s:upper():lower():reverse() end",
        ),
        (
            "slices of a long string, dropped",
            "timeout|memory",
            "local s = ('x'):rep(3000000) while true do local a, b, c = s:sub(2), s:sub(3), s:sub(4) end",
        ),
        (
            "slices of a long string, kept",
            "memory|limit",
            "local s, t = ('x'):rep(3000000), {} while true do t[#t + 1] = s:sub(1 + #t) end",
        ),
        (
            "numbers as text",
            "timeout|memory",
            "local t = {} while true do t[#t + 1] = 'key' .. #t .. 1 / 3 end",
        ),
        (
            "os.date with a long format",
            "limit|memory|runtime",
            "local f = ('%c'):rep(1500000) local s = os.date(f)",
        ),
        (
            "tostring of a long string",
            "timeout|memory",
            "local s = ('x'):rep(3000000) while true do local t = tostring(s) end",
        ),
        ("print of long lines", "timeout", "local s = ('x'):rep(3000000) while true do print(s, s, s) end"),
        ("error with a long message", "runtime|limit|memory", "error(('x'):rep(3500000))"),
        (
            "error with a long message, caught",
            "timeout|limit|memory",
            "local s = ('x'):rep(1000000) while true do pcall(error, s) end",
        ),
        (
            "assert with a long message, caught",
            "timeout|limit|memory",
            "local s = ('x'):rep(1000000) while true do pcall(assert, false, s) end",
        ),
        (
            "char of many values",
            "timeout|limit|memory",
            "local t = {} for i = 1, 7000 do t[i] = 65 end while true do local s = string.char(unpack(t)) end",
        ),
    ]));
}

#[test]
fn many_values_are_bounded() {
    check_all(chunks(&[
        ("byte of a long string", "limit|runtime|memory", "local t = { ('x'):rep(3000000):byte(1, -1) }"),
        ("unpack of a huge range", "limit|memory", "local a = unpack({}, 1, 2^53)"),
        (
            "unpack of the whole range of integers",
            "limit|memory",
            "local a = unpack({}, -0x7fffffffffffffff - 1, 0x7fffffffffffffff)",
        ),
        (
            "unpack at the end of the integers",
            "reply|limit|memory",
            "local a = unpack({}, 0x7ffffffffffffff0, 0x7fffffffffffffff)",
        ),
        (
            "many tables of varargs",
            "timeout|limit|memory",
            "local function f(...) local t = {...} local u = {...} local v = {...} return {{...}, {...}, {...}, {...}, {...}} end while true do f(unpack({}, 1, 8000)) end",
        ),
        (
            "varargs that grow call by call",
            "timeout|limit|memory|runtime",
            "local function f(...) return f(1, ...) end f()",
        ),
        (
            "varargs that grow by doubling",
            "timeout|limit|memory|runtime",
            "local function f(...) return f(..., unpack({...})) end f(1, 2)",
        ),
        (
            "varargs that grow, packed often",
            "timeout|limit|memory|runtime",
            "local function f(...) local t = {...} return f(1, 2, 3, 4, 5, 6, 7, 8, ...) end f()",
        ),
        (
            "varargs that grow through pcall",
            "timeout|limit|memory|runtime",
            "local function f(...) return pcall(f, 1, ...) end f()",
        ),
        (
            "varargs that grow through a metamethod",
            "timeout|limit|memory|runtime",
            "local t t = setmetatable({}, { __call = function(self, ...) return t(1, ...) end }) t()",
        ),
        (
            "varargs that grow through a constructor",
            "timeout|limit|memory|runtime",
            "local function g(...) return 1, ... end local a = {} while true do a = { g(unpack(a)) } end",
        ),
        (
            "varargs joined",
            "timeout|limit|memory|runtime",
            "local function f(...) local t = {...} for i = 1, 100 do t = { unpack(t, 1, #t) } end return f('x', ...) end f()",
        ),
        (
            "select in a loop over many values",
            "timeout",
            "local t = {} for i = 1, 7900 do t[i] = i end local function f(...) for i = 1, select('#', ...) do local v = select(i, ...) end end while true do f(unpack(t)) end",
        ),
        (
            "return of many values through many calls",
            "timeout|limit|memory|runtime",
            "local function f(n, ...) if n == 0 then return ... end return f(n - 1, ...) end while true do f(100, unpack({}, 1, 7900)) end",
        ),
        (
            "math.max of many values",
            "timeout",
            "local t = {} for i = 1, 7900 do t[i] = i end while true do math.max(unpack(t)) end",
        ),
    ]));
}

#[test]
fn patterns_are_bounded() {
    check_all(chunks(&[
        ("backtracking", "timeout|runtime", "local r = ('a'):rep(3000):match('a*a*a*a*a*a*a*b')"),
        ("backtracking, lazy", "timeout|runtime", "local r = ('a'):rep(3000):match('a-a-a-a-a-a-a-b')"),
        (
            "backtracking, optional",
            "timeout|runtime|reply",
            "local r = ('a'):rep(25):match(('a?'):rep(25) .. ('a'):rep(25) .. 'b')",
        ),
        (
            "backtracking with captures",
            "timeout|runtime",
            "local r = ('a'):rep(3000):match('(a*)(a*)(a*)(a*)(a*)b')",
        ),
        (
            "backtracking, caught",
            "timeout",
            "while true do pcall(string.match, ('a'):rep(3000), 'a*a*a*a*a*a*b') end",
        ),
        ("backtracking in gsub", "timeout|runtime", "local r = ('a'):rep(3000):gsub('a*a*a*a*a*b', '')"),
        (
            "backtracking in gmatch",
            "timeout|runtime",
            "for w in ('a'):rep(3000):gmatch('a*a*a*a*a*b') do end",
        ),
        (
            "balanced brackets that never close",
            "timeout|runtime|reply",
            "local r = ('('):rep(1000000):match('%b()')",
        ),
        (
            "balanced brackets from every place",
            "timeout|runtime|reply",
            "local r = ('('):rep(1000000):gsub('%b()', '')",
        ),
        (
            "plain find",
            "timeout|reply",
            "local r = ('a'):rep(4000000):find(('a'):rep(2000000) .. 'b', 1, true)",
        ),
        (
            "plain find without the flag",
            "timeout|runtime|reply",
            "local r = ('a'):rep(4000000):find(('a'):rep(2000000) .. 'b')",
        ),
        (
            "plain find, often",
            "timeout",
            "local s = ('a'):rep(4000000) while true do s:find('b', 1, true) end",
        ),
        ("frontier over a long string", "timeout|reply", "local r = (' '):rep(4000000):find('%f[%w]')"),
        (
            "anchored at the end, from every place",
            "timeout|runtime|reply",
            "local r = ('a '):rep(1500000):match('%s+$')",
        ),
        (
            "a long set",
            "timeout|runtime|reply",
            "local r = ('a'):rep(100000):match('[' .. ('b-c'):rep(100000) .. ']')",
        ),
        (
            "a long pattern",
            "timeout|runtime|reply|memory|limit",
            "local r = ('a'):rep(1000000):match(('a'):rep(1000000))",
        ),
        ("many captures", "runtime", "local r = ('a'):rep(100):match(('(a)'):rep(33))"),
        ("nested captures", "runtime", "local r = ('a'):match(('('):rep(100000))"),
        (
            "back references",
            "timeout|runtime|reply",
            "local s = ('a'):rep(100000) local r = s:match('(a*)%1%1%1b')",
        ),
        (
            "gmatch without end",
            "reply|timeout",
            "local n = 0 for _ in ('x'):rep(100000):gmatch('') do n = n + 1 end",
        ),
        (
            "matches that are all kept",
            "timeout|memory",
            "local t = {} while true do for w in ('x'):rep(10000):gmatch('.') do t[#t + 1] = w end end",
        ),
        (
            "gsub whose function matches again",
            "timeout|memory|runtime|limit",
            "local function f(c) return (('x'):rep(10):gsub('.', f)) end f('x')",
        ),
        (
            "gmatch whose function yields to another",
            "timeout|memory|runtime",
            "local function f() for w in ('ab'):gmatch('.') do f() end end f()",
        ),
    ]));
}

#[test]
fn tables_are_bounded() {
    check_all(chunks(&[
        (
            "remove under a lying length",
            "reply",
            "local t = setmetatable({1, 2, 3}, { __len = function() return 2^53 end }) table.remove(t, 1)",
        ),
        (
            "insert under a lying length",
            "reply",
            "local t = setmetatable({1, 2, 3}, { __len = function() return 2^53 end }) table.insert(t, 1, 'x')",
        ),
        (
            "concat under a lying length",
            "reply|runtime",
            "local t = setmetatable({1, 2, 3}, { __len = function() return 2^53 end }) table.concat(t)",
        ),
        (
            "sort under a lying length",
            "reply|runtime",
            "local t = setmetatable({1, 2, 3}, { __len = function() return 2^53 end }) table.sort(t)",
        ),
        (
            "unpack under a lying length",
            "reply|runtime",
            "local t = setmetatable({1, 2, 3}, { __len = function() return 2^53 end }) unpack(t)",
        ),
        (
            "insert at a far place",
            "reply|runtime",
            "table.insert({}, 2^53, 'x') table.insert({}, 0x7fffffffffffffff, 'x')",
        ),
        ("insert at a place below the list", "reply|runtime", "table.insert({1}, -2^53, 'x')"),
        (
            "insert at the end of the integers",
            "reply|runtime",
            "local t = {[0x7fffffffffffffff] = 1} table.insert(t, 1) table.insert(t, 0x7fffffffffffffff, 1)",
        ),
        ("concat of a huge range", "runtime", "table.concat({}, '', 1, 2^53)"),
        (
            "concat of the last integers",
            "runtime",
            "table.concat({}, '', 0x7ffffffffffffff0, 0x7fffffffffffffff)",
        ),
        (
            "insert at the front, often",
            "timeout|memory",
            "local t = {} while true do table.insert(t, 1, 'x') end",
        ),
        (
            "remove at the front, often",
            "timeout",
            "local t = {} for i = 1, 100000 do t[i] = i end while true do table.insert(t, table.remove(t, 1)) end",
        ),
        (
            "a sparse key",
            "reply",
            "local t = {} t[2^53] = 1 t[0x7fffffffffffffff] = 2 t[-0x7fffffffffffffff - 1] = 3 print(#t)",
        ),
        (
            "sparse keys by doubling",
            "reply|memory",
            "local t = {} for i = 0, 62 do t[2^i] = i end for i = 1, #t do local x = t[i] end",
        ),
        ("tables in tables", "memory|timeout", "local t = {} while true do t = { t } end"),
        (
            "tables with metatables",
            "memory|timeout",
            "local t = {} while true do t = setmetatable({}, { __index = t }) end",
        ),
        (
            "a chain of __index",
            "memory|timeout|runtime",
            "local t = {} for i = 1, 20000 do t = setmetatable({}, { __index = t }) end while true do local x = t.missing end",
        ),
        (
            "a circle of __index",
            "runtime|timeout",
            "local a = {} setmetatable(a, { __index = a }) local x = a.missing",
        ),
        (
            "a circle of __newindex",
            "runtime|timeout",
            "local a = {} setmetatable(a, { __newindex = a }) a.missing = 1",
        ),
        ("a circle of __call", "runtime|timeout|memory", "local a = {} setmetatable(a, { __call = a }) a()"),
        (
            "closures",
            "memory|timeout",
            "local f = function() end while true do local g = f f = function() return g end end",
        ),
        ("a growing list", "memory|timeout", "local t, i = {}, 0 while true do i = i + 1 t[i] = i end"),
        ("growing keys", "memory|timeout", "local t, i = {}, 0 while true do i = i + 0.5 t[i] = i end"),
        (
            "large constructors",
            "memory|timeout",
            "local t = {} while true do t[#t + 1] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, a = 1, b = 2, c = 3 } end",
        ),
        (
            "sort of a long list",
            "timeout|reply|memory",
            "local t = {} for i = 1, 100000 do t[i] = (i * 7919) % 100003 end table.sort(t)",
        ),
        (
            "sort with a function that never returns",
            "timeout",
            "table.sort({3, 2, 1}, function() while true do end end)",
        ),
        (
            "sort in its own comparator",
            "timeout|memory|runtime",
            "local t = {3, 2, 1} local function less(a, b) table.sort(t, less) return a < b end table.sort(t, less)",
        ),
        (
            "sort with the memory used up",
            "timeout|memory",
            "local t = {} while true do for i = 1, 1000 do t[#t + 1] = i end table.sort(t, function(a, b) return a > b end) end",
        ),
        (
            "sort of long equal strings",
            "timeout|memory|reply",
            "local s = ('x'):rep(1000000) local t = {} for i = 1, 5000 do t[i] = s end table.sort(t)",
        ),
        (
            "next over a table that grows",
            "timeout|memory|runtime|reply",
            "local t = {1} for k in pairs(t) do t[k + 1] = k end",
        ),
        (
            "long strings as keys",
            "timeout",
            "local s, t = ('x'):rep(4000000), {} while true do t[s] = 1 t[s] = 2 t[s] = 3 t[s] = 4 t[s] = 5 t[s] = 6 t[s] = 7 t[s] = 8 end",
        ),
        (
            "comparison of long strings",
            "timeout",
            "local a, b = ('x'):rep(2000000) .. 'a', ('x'):rep(2000000) .. 'b' while true do local x = a < b x = a == b x = a <= b x = a < b x = a == b end",
        ),
        (
            "maxn of a large table",
            "timeout",
            "local t = {} for i = 1, 50000 do t[i] = i end while true do table.maxn(t) end",
        ),
        (
            "next from the end",
            "timeout",
            "local t = {} for i = 1, 50000 do t['k' .. i] = i end while true do for k in pairs(t) do end end",
        ),
        (
            "next over a cleared table",
            "timeout|reply",
            "local t = {} for i = 1, 100000 do t['k' .. i] = i end for k in pairs(t) do t[k] = nil end while true do next(t) end",
        ),
        (
            "length after clearing",
            "timeout|reply",
            "local t = {} for i = 1, 100000 do t[i] = i end for i = 1, 100000 do t[i] = nil end while true do local n = #t end",
        ),
    ]));
}

#[test]
fn numbers_do_not_panic() {
    check_all(chunks(&[
        ("modulo of the smallest integer", "reply", "local m = -0x7fffffffffffffff - 1 local x = m % -1"),
        ("modulo, folded when loaded", "reply", "local x = (-0x7fffffffffffffff - 1) % -1"),
        (
            "modulo by the smallest integer",
            "reply",
            "local m = -0x7fffffffffffffff - 1 local x = 5 % m x = -5 % m x = m % m",
        ),
        ("modulo by zero", "reply|runtime", "local z = 0 local x = 5 % z"),
        ("modulo by zero, folded", "reply|runtime|syntax", "local x = 5 % 0"),
        ("integer division by zero", "runtime|reply", "local z = 0 local x = 5 // z"),
        ("integer division by zero, folded", "runtime|reply|syntax", "local x = 5 // 0"),
        (
            "integer division of the smallest integer",
            "reply",
            "local m = -0x7fffffffffffffff - 1 local x = m // -1",
        ),
        ("integer division, folded", "reply", "local x = (-0x7fffffffffffffff - 1) // -1"),
        (
            "negation of the smallest integer",
            "reply",
            "local m = -0x7fffffffffffffff - 1 local x = -m x = - -m",
        ),
        ("abs of the smallest integer", "reply", "local m = -0x7fffffffffffffff - 1 local x = math.abs(m)"),
        (
            "overflow in arithmetic",
            "reply",
            "local x = 0x7fffffffffffffff x = x + x x = x * x x = -x - 0x7fffffffffffffff x = 0x7fffffffffffffff ^ 2",
        ),
        (
            "overflow, folded",
            "reply",
            "local x = 0x7fffffffffffffff + 0x7fffffffffffffff local y = 0x7fffffffffffffff * 3 local z = -0x7fffffffffffffff - 3",
        ),
        (
            "shifts by any amount",
            "reply|runtime",
            "for _, n in ipairs({ -65, -64, -1, 0, 63, 64, 65, 0x7fffffffffffffff, -0x7fffffffffffffff - 1 }) do local x = (1 << n) + (1 >> n) end",
        ),
        (
            "shifts, folded",
            "reply|runtime",
            "local x = 1 << 64 local y = 1 >> -64 local z = 1 << (-0x7fffffffffffffff - 1)",
        ),
        ("bits of what is no integer", "runtime", "local x = 1.5 & 1"),
        (
            "a loop to the last integer",
            "reply",
            "local n = 0 for i = 0x7fffffffffffffff - 2, 0x7fffffffffffffff do n = n + 1 end for i = -0x7fffffffffffffff, -0x7fffffffffffffff - 1, -1 do n = n + 1 end",
        ),
        (
            "a loop with a huge step",
            "reply",
            "for i = 0, 0x7fffffffffffffff, 0x7ffffffffffffffe do end for i = 1, 10, -0x7fffffffffffffff - 1 do end for i = 0x7fffffffffffffff, -0x7fffffffffffffff, -0x7fffffffffffffff - 1 do end",
        ),
        ("a loop without a step", "reply|runtime|timeout", "for i = 1, 2, 0 do end"),
        (
            "a loop of floats without progress",
            "timeout|reply",
            "for i = 2^53, 2^53 + 10 do local x = i for j = 1e300, 1e301, 1 do end end",
        ),
        (
            "a loop over NaN",
            "reply",
            "for i = 0/0, 1 do end for i = 1, 0/0 do end for i = 1, 2, 0/0 do break end",
        ),
        (
            "string.sub with extreme positions",
            "reply",
            "local m = -0x7fffffffffffffff - 1 local s = ('abc'):sub(m, -m - 1) s = ('abc'):sub(m) s = ('abc'):byte(m) s = ('abc'):find('b', m) s = ('abc'):sub(0x7fffffffffffffff, m)",
        ),
        (
            "positions that are no integers",
            "reply|runtime",
            "local s = ('abc'):sub(0/0, 1/0) s = ('abc'):rep(0/0) s = ('abc'):sub(1.5, 2.7)",
        ),
        (
            "format of extreme numbers",
            "reply",
            "for _, n in ipairs({ 0/0, 1/0, -1/0, 2^63, -2^63, 2^1023, 2^-1074, -0x7fffffffffffffff - 1 }) do for _, f in ipairs({ '%s', '%g', '%f', '%e', '%.14g', '%5.1f', '%99.99f', '%.99e', '%.0f', '%G', '%E' }) do local s = f:format(n) end end",
        ),
        (
            "format of extreme numbers as integers",
            "reply|runtime",
            "for _, n in ipairs({ 2^63, -2^63, 1e300, -1e300, 0/0, 1/0 }) do for _, f in ipairs({ '%d', '%x', '%o', '%u', '%c', '%i', '%99.99d' }) do pcall(string.format, f, n) end end",
        ),
        (
            "hexadecimal floats",
            "reply|runtime",
            "for _, n in ipairs({ 2^-1074, 1, 0.1, 2^1023, 0/0, 0 }) do for p = 0, 99 do pcall(string.format, '%.' .. p .. 'a', n) end end",
        ),
        ("%g around 0.001", "reply", "local s = ('%g'):format(0.001) s = ('%.3g'):format(0.00099999)"),
        (
            "ldexp and frexp of extremes",
            "reply",
            "local x = math.ldexp(1, 2^53) x = math.ldexp(1, -2^53) x = math.ldexp(0/0, 5) local m, e = math.frexp(2^-1074) m, e = math.frexp(1/0) m, e = math.frexp(0/0)",
        ),
        (
            "floor and ceil of extremes",
            "reply",
            "for _, n in ipairs({ 0/0, 1/0, -1/0, 2^63, -2^63, 1e300 }) do local a, b, c = math.floor(n), math.ceil(n), math.modf(n) end",
        ),
        (
            "random over extremes",
            "reply|runtime",
            "local m = -0x7fffffffffffffff - 1 math.randomseed(m) math.randomseed(0/0) for _, r in ipairs({ { m, 0x7fffffffffffffff }, { 0, 0x7fffffffffffffff }, { m, m }, { 0/0, 1 }, { -1/0, 1/0 }, { 2^63, 2^64 } }) do pcall(math.random, r[1], r[2]) pcall(math.random, r[1]) end",
        ),
        (
            "tonumber of anything",
            "reply",
            "for _, s in ipairs({ '0x', '0x.p1', '1e999999999', '0x1p999999999', '-', '.', '0x' .. ('f'):rep(1000), ('9'):rep(1000), '1e-999999999', 'nan', 'inf', ' ', '\\0' }) do local n = tonumber(s) for b = 2, 36 do n = tonumber(s, b) end end",
        ),
        (
            "long numerals in arithmetic",
            "timeout|runtime",
            "local s = ('1'):rep(3000000) while true do local n = s + 0 end",
        ),
        (
            "long numerals, each fresh",
            "timeout|runtime",
            "local s = ('1'):rep(3000000) while true do pcall(function() return s * 1 + s * 2 + s * 3 end) end",
        ),
        (
            "dates of extremes",
            "reply|runtime",
            "for _, n in ipairs({ 0/0, 1/0, -1/0, 2^53, -2^53, 2^63, -2^63, 1e18, -1e18, 253402300800, -377705116801 }) do pcall(os.date, '!%c', n) pcall(os.date, '*t', n) pcall(os.date, '%c', n) end",
        ),
        (
            "times of extremes",
            "reply|runtime",
            "for _, n in ipairs({ 0/0, 1/0, 2^31, -2^31, 2^53, -2^53, 2^63, -2^63, 1e300 }) do for _, f in ipairs({ 'year', 'month', 'day', 'hour', 'min', 'sec' }) do local t = { year = 2000, month = 1, day = 1 } t[f] = n pcall(os.time, t) end end",
        ),
        (
            "date formats of all kinds",
            "reply|runtime",
            "for b = 0, 255 do pcall(os.date, '!%' .. string.char(b), 0) pcall(os.date, '!%E' .. string.char(b), 0) pcall(os.date, '%', 0) end",
        ),
        (
            "format directives of all kinds",
            "reply|runtime",
            "for b = 0, 255 do for _, v in ipairs({ 1, 1.5, 'x' }) do pcall(string.format, '%' .. string.char(b), v) pcall(string.format, '%-+ #099.99' .. string.char(b), v) end end",
        ),
        (
            "patterns of all kinds",
            "reply|runtime|timeout",
            "for a = 0, 255 do for b = 32, 127 do pcall(string.find, 'abc(d)', string.char(b, a) .. '%') pcall(string.find, 'abc', '%' .. string.char(a, b)) end end",
        ),
    ]));
}

#[test]
fn control_flow_is_bounded() {
    check_all(chunks(&[
        ("recursion", "runtime|memory|timeout", "local function f() return 1 + f() end f()"),
        (
            "recursion of varargs",
            "runtime|memory|timeout|limit",
            "local function f(...) return 1 + f(1, ...) end f()",
        ),
        (
            "recursion through pcall",
            "runtime|memory|timeout|reply",
            "local function f() return pcall(f) end f()",
        ),
        (
            "recursion through xpcall",
            "runtime|memory|timeout|reply",
            "local function f() return xpcall(f, f) end f()",
        ),
        (
            "recursion in a handler",
            "runtime|memory|timeout|reply",
            "local function h(m) error(m) end local function f() return xpcall(error, h) end while true do f() end",
        ),
        (
            "recursion through __index",
            "runtime|memory|timeout",
            "local t t = setmetatable({}, { __index = function(_, k) return t[k] end }) local x = t.a",
        ),
        (
            "recursion through __index, no tail call",
            "runtime|memory|timeout",
            "local t t = setmetatable({}, { __index = function(_, k) return 1 + t[k] end }) local x = t.a",
        ),
        (
            "recursion through __tostring",
            "runtime|memory|timeout",
            "local t t = setmetatable({}, { __tostring = function() return tostring(t) end }) print(t)",
        ),
        (
            "recursion through __tostring in print",
            "runtime|memory|timeout",
            "local t t = setmetatable({}, { __tostring = function() print(t) return 'x' end }) print(t)",
        ),
        (
            "recursion through __concat",
            "runtime|memory|timeout",
            "local t t = setmetatable({}, { __concat = function(a, b) return a .. b .. a end }) local x = t .. t",
        ),
        (
            "recursion through __eq",
            "runtime|memory|timeout",
            "local mt = {} mt.__eq = function(a, b) return a == b end local x = setmetatable({}, mt) == setmetatable({}, mt)",
        ),
        (
            "recursion through __lt in sort",
            "runtime|memory|timeout",
            "local mt = {} mt.__lt = function(a, b) return a < b end table.sort({ setmetatable({}, mt), setmetatable({}, mt) })",
        ),
        (
            "recursion through gsub",
            "runtime|memory|timeout|limit",
            "local function f() return (('x'):gsub('x', f)) end f()",
        ),
        ("a loop that calls nothing", "timeout", "while true do end"),
        ("a loop by goto", "timeout", "::top:: goto top"),
        ("a loop of repeat", "timeout", "repeat until false"),
        ("a loop of tail calls", "timeout", "local function f() return f() end f()"),
        ("a loop of natives", "timeout", "while true do type(1) end"),
        ("a loop of natives through pcall", "timeout", "while true do pcall(type, 1) end"),
        ("an iterator without end", "timeout", "for i in function() return 1 end do end"),
        ("next as its own loop", "timeout", "while true do for k, v in pairs({ 1, 2, 3 }) do end end"),
        ("errors, caught", "timeout", "while true do pcall(error, {}) end"),
        ("errors of operations, caught", "timeout", "while true do pcall(function() return nil + 1 end) end"),
        (
            "memory, caught",
            "memory",
            "local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end",
        ),
        (
            "a global table full of itself",
            "memory|timeout",
            "local i = 0 while true do i = i + 1 _G['g' .. i] = _G end",
        ),
        (
            "natives replaced",
            "timeout|runtime|reply",
            "for k in pairs(_G) do if k ~= '_G' then _G[k] = nil end end while true do end",
        ),
        ("os.clock awaited", "timeout", "while os.clock() < 100 do end"),
        ("no coroutines", "runtime", "coroutine.yield(1)"),
        ("no load", "runtime", "load('x = 1')()"),
        ("no file access", "runtime", "io.open('/etc/passwd')"),
        (
            "no metatable of strings to change",
            "reply|runtime",
            "local mt = getmetatable('') if mt then pcall(rawset, mt, '__index', nil) pcall(rawset, mt, '__concat', function() while true do end end) end local s = 'a' .. 'b'",
        ),
        (
            "a protected metatable",
            "runtime",
            "local t = setmetatable({}, { __metatable = 'no' }) setmetatable(t, {})",
        ),
        (
            "finalizers are not run",
            "reply",
            "local t = setmetatable({}, { __gc = function() while true do end end }) t = nil",
        ),
        (
            "weak tables are only tables",
            "reply|memory|timeout",
            "local t = setmetatable({}, { __mode = 'kv' }) for i = 1, 1000 do t[{}] = {} end",
        ),
        (
            "__metatable that is a function",
            "reply",
            "local t = setmetatable({}, { __metatable = function() while true do end end }) local m = getmetatable(t)",
        ),
        ("__call that is a number", "runtime", "local t = setmetatable({}, { __call = 5 }) t()"),
        ("__index that is a number", "runtime", "local t = setmetatable({}, { __index = 5 }) local x = t.a"),
        ("__add that is a string", "runtime", "local t = setmetatable({}, { __add = 'x' }) local x = t + 1"),
    ]));
}

#[test]
fn programs_of_a_dangerous_shape_are_refused_or_run() {
    let repeat = |unit: &str, count: usize| unit.repeat(count);
    let locals = |count: usize| (0..count).map(|i| format!("local a{i} = {i}\n")).collect::<String>();
    let rows: Vec<(&str, &str, String)> = vec![
        ("a chain of operators", "refused", format!("local a = 1 return a{}", repeat("+a", 20_000))),
        ("a chain of fields", "refused", format!("return a{}", repeat(".b", 20_000))),
        ("a chain of indexes", "refused", format!("return a{}", repeat("[1]", 15_000))),
        ("a chain of calls", "refused", format!("return a{}", repeat("()", 20_000))),
        ("a chain of methods", "refused", format!("return a{}", repeat(":b()", 10_000))),
        ("a chain of concatenations", "refused|syntax", format!("return 'a'{}", repeat("..'a'", 10_000))),
        ("a chain of powers", "refused|syntax", format!("return 2{}", repeat("^2", 20_000))),
        ("a chain of comparisons", "refused", format!("return 1{}", repeat("==1", 15_000))),
        ("a chain of and", "refused", format!("return 1{}", repeat(" and 1", 10_000))),
        ("unary operators", "refused|syntax", format!("return {}1", repeat("not ", 15_000))),
        ("unary minus", "refused|syntax", format!("return {}1", repeat("- ", 30_000))),
        ("parentheses", "refused|syntax", format!("return {}1{}", repeat("(", 30_000), repeat(")", 30_000))),
        ("braces", "refused|syntax", format!("return {}{}", repeat("{", 30_000), repeat("}", 30_000))),
        ("brackets", "refused|syntax", format!("return a{}1{}", repeat("[a", 15_000), repeat("]", 15_000))),
        (
            "nested calls",
            "refused|syntax",
            format!("return {}1{}", repeat("f(", 20_000), repeat(")", 20_000)),
        ),
        (
            "nested functions",
            "refused|syntax",
            format!("{}{}", repeat("function f() ", 3_000), repeat("end ", 3_000)),
        ),
        (
            "nested function expressions",
            "refused|syntax",
            format!("return {}1{}", repeat("function() return ", 2_500), repeat(" end", 2_500)),
        ),
        ("nested blocks", "refused|syntax", format!("{}{}", repeat("do ", 9_000), repeat("end ", 9_000))),
        ("nested ifs", "refused|syntax", format!("{}{}", repeat("if a then ", 4_000), repeat("end ", 4_000))),
        (
            "nested else",
            "refused|syntax",
            format!("{}{}", repeat("if a then else ", 3_000), repeat("end ", 3_000)),
        ),
        (
            "nested loops",
            "refused|syntax",
            format!("{}{}", repeat("while a do ", 4_000), repeat("end ", 4_000)),
        ),
        (
            "nested for",
            "refused|syntax",
            format!("{}{}", repeat("for i=1,1 do ", 3_000), repeat("end ", 3_000)),
        ),
        (
            "nested repeat",
            "refused|syntax",
            format!("{}{}", repeat("repeat ", 4_000), repeat("until a ", 4_000)),
        ),
        (
            "200 locals, then a concatenation",
            "reply",
            format!("{}", locals(195) + "local s = a0 .. a1 .. a2"),
        ),
        ("254 locals, then a concatenation", "refused", locals(254) + "local s = a0 .. a1 .. a2"),
        ("252 locals, then a loop", "refused", locals(252) + "for i = 1, 2 do end"),
        ("locals in one statement", "refused", format!("local {}x", repeat("x,", 30_000))),
        ("parameters", "refused", format!("function f({}y) end", repeat("x,", 30_000))),
        ("251 arguments", "refused", format!("print({}1)", repeat("1,", 250))),
        (
            "200 locals and 250 arguments",
            KNOWN_DEFECT,
            format!("{}print({}1)", locals(190), repeat("1,", 249)),
        ),
        (
            "190 locals and nested calls",
            KNOWN_DEFECT,
            format!(
                "local function f(...) return 1 end {}return {}1{}",
                locals(190),
                repeat("f(1,", 60),
                repeat(")", 60)
            ),
        ),
        (
            "190 locals and a deep expression",
            "reply|refused",
            format!("{}return {}1{}", locals(190), repeat("(a1+", 60), repeat(")", 60)),
        ),
        (
            "190 locals and a constructor",
            "reply|refused",
            format!("{}return {{{}}}", locals(190), repeat("a1,", 10_000)),
        ),
        ("many returned values", "refused", format!("return {}1", repeat("1,", 30_000))),
        ("many targets", "refused", format!("{}a = 1", repeat("a,", 30_000))),
        ("many names in a for", "refused", format!("for {}a in b do end", repeat("a,", 20_000))),
        ("many constants", "reply|refused|syntax", (0..5_000).map(|i| format!("a={i}.5\n")).collect()),
        ("many strings", "reply|refused|syntax", (0..5_000).map(|i| format!("a='{i}'\n")).collect()),
        ("many functions", "reply|refused|syntax", repeat("f=function()end\n", 4_000)),
        (
            "many upvalues",
            "refused|reply",
            format!(
                "{} return function() return {}a0 end",
                locals(190),
                (0..190).map(|i| format!("a{i},")).collect::<String>()
            ),
        ),
        (
            "upvalues of many levels",
            "refused|reply|syntax",
            format!("local a {}return a{}", repeat("return function() ", 90), repeat(" end", 90)),
        ),
        (
            "many elseif",
            "reply|refused|runtime",
            format!("if a then {} end", repeat("elseif b then ", 4_500)),
        ),
        ("many gotos", "reply|refused|syntax", format!("{} ::l::", repeat("goto l ", 9_000))),
        ("many labels", "reply|refused|syntax", (0..7_000).map(|i| format!("::a{i}::")).collect()),
        (
            "gotos to many labels",
            "reply|refused|syntax|timeout",
            (0..2_500).map(|i| format!("goto b{i} ::b{i}::\n")).collect(),
        ),
        (
            "many breaks",
            "reply|refused|syntax|timeout",
            format!("while true do {} end", repeat("if a then break end ", 3_000)),
        ),
        ("a constructor of many fields", "reply|refused", format!("return {{{}}}", repeat("a=1,", 15_000))),
        ("a constructor of many entries", "reply|refused", format!("return {{{}}}", repeat("1,", 30_000))),
        ("a long name", "reply|refused|syntax", format!("{} = 1", repeat("x", 60_000))),
        ("a long string", "reply", format!("a = '{}'", repeat("x", 60_000))),
        ("a long number", "reply|syntax", format!("a = {}", repeat("9", 60_000))),
        ("a long hexadecimal number", "reply|syntax", format!("a = 0x{}", repeat("f", 60_000))),
        (
            "a number with a huge exponent",
            "reply|syntax",
            "a = 1e999999999999 b = 0x1p999999999999 c = 1e-999999999999".to_owned(),
        ),
        ("a long bracket", "syntax", format!("a = [{}", repeat("=", 60_000))),
        ("many long brackets", "syntax|reply|refused", format!("a = [==[{}", repeat("]=", 30_000))),
        ("many comments", "reply", repeat("--[[]]", 10_000)),
        ("many line ends", "reply", repeat("\n", 65_000)),
        ("only semicolons", "reply|syntax", repeat(";", 65_000)),
        (
            "a chain in an argument in a chain",
            "refused|syntax",
            format!("return {}", repeat("a.b.c(d.e.f(", 5_000)),
        ),
        (
            "90 levels of everything",
            "reply|refused|runtime|syntax",
            format!("{}x = {}1{}{}", repeat("do ", 40), repeat("(", 40), repeat(")", 40), repeat(" end", 40)),
        ),
    ];
    check_all(
        rows.into_iter()
            .map(|(name, ends, source)| {
                assert!(source.len() <= 64 * 1024, "{name}: refused for its size alone");
                chunk(name, ends, source)
            })
            .collect(),
    );
}
