//! Wherever the memory ends, the invocation ends in that error and in nothing worse: each of many programs is run
//! with a limit at every thousandth byte up to what it needs.

use std::time::Duration;

use goop2::vm::{Entry, Limits, RunError};

use crate::stopped::{Ended, Failure, check_rows, run};

fn handle(source: &str, limits: Limits) -> Ended {
    run(source.as_bytes(), Entry::Handle("args".to_owned()), limits)
}

/// Ordinary programs that between them allocate in every way there is.
const ORDINARY: &[(&str, &str)] = &[
    ("empty", "return 'ok'"),
    ("list", "local t = {} for i = 1, 500 do t[i] = i end return tostring(#t)"),
    (
        "fields",
        "local t, n = {}, 0 for i = 1, 200 do t['k' .. i] = i end for _ in pairs(t) do n = n + 1 end return tostring(n)",
    ),
    ("strings", "local s = '' for i = 1, 100 do s = s .. 'line ' .. i .. '\\n' end return tostring(#s)"),
    (
        "table.concat",
        "local t = {} for i = 1, 300 do t[i] = 'item ' .. i end return tostring(#table.concat(t, ', '))",
    ),
    ("rep", "local s = ('abc'):rep(5000) return tostring(#s:upper() + #s:reverse())"),
    (
        "format",
        "local t = {} for i = 1, 50 do t[i] = ('%5d %-10s %.3f'):format(i, 'n' .. i, i / 3) end return t[50]",
    ),
    (
        "gsub",
        "return tostring(#(('hello world '):rep(100):gsub('%w+', function(w) return '<' .. w .. '>' end)))",
    ),
    ("gsub by pattern", "return (('a b '):rep(200):gsub('(%w) (%w)', '%2 %1')):sub(1, 7)"),
    (
        "gmatch",
        "local n = 0 for k, v in ('key=value; '):rep(100):gmatch('(%w+)=(%w+)') do n = n + #k + #v end return tostring(n)",
    ),
    (
        "sort",
        "local t = {} for i = 1, 200 do t[i] = (i * 37) % 211 end table.sort(t) return t[1] .. ' ' .. t[200]",
    ),
    (
        "sort by function",
        "local t = {} for i = 1, 100 do t[i] = { v = (i * 37) % 101 } end table.sort(t, function(a, b) return a.v > b.v end) return tostring(t[1].v)",
    ),
    (
        "closures",
        "local f = function() return 0 end for i = 1, 100 do local g = f f = function() return g() + 1 end end return tostring(f())",
    ),
    (
        "recursion",
        "local function d(n) if n == 0 then return 0 end return 1 + d(n - 1) end return tostring(d(300))",
    ),
    (
        "varargs",
        "local function f(...) return select('#', ...), { ... } end local n, t = f(unpack({}, 1, 500)) return tostring(n)",
    ),
    (
        "errors",
        "local n = 0 for i = 1, 50 do local ok, e = pcall(error, 'message ' .. i) n = n + #e end return tostring(n)",
    ),
    (
        "objects",
        "local C = {} C.__index = C function C.new(v) return setmetatable({ v = v }, C) end function C:get() return self.v end local n = 0 for i = 1, 100 do n = n + C.new(i):get() end return tostring(n)",
    ),
    (
        "metamethods",
        "local mt = {} mt.__add = function(a, b) return setmetatable({ v = a.v + b.v }, mt) end mt.__concat = function(a, b) return 'c' end local x = setmetatable({ v = 1 }, mt) for i = 1, 50 do x = x + x x.v = i end return x .. x",
    ),
    (
        "print",
        "for i = 1, 20 do print(i, {}, setmetatable({}, { __tostring = function() return 'x' end })) end return 'ok'",
    ),
    ("dates", "return os.date('!%Y-%m-%d %H:%M:%S', os.date('!*t', 86400).year)"),
    (
        "insert and remove",
        "local t = {} for i = 1, 200 do table.insert(t, 1, 'v' .. i) end for i = 1, 100 do table.remove(t, 1) end return t[1]",
    ),
    (
        "slices and cases",
        "local s, n = ('Abc'):rep(300), 0 for i = 1, 100 do n = n + #s:sub(i) + #s:lower() + #s:upper() end return tostring(n)",
    ),
    (
        "find and match with captures",
        "local s, n = ('key = value '):rep(50), 0 for i = 1, 50 do local a, b, c = s:find('(%w+) = (%w+)', i) n = n + b + #c + #s:match('^(.*)$') end return tostring(n)",
    ),
    (
        "gsub by table",
        "return (('a b c '):rep(100):gsub('%w', { a = 'first', b = 2, c = false })):sub(1, 20)",
    ),
    (
        "gsub by anything",
        "return (('a'):rep(50):gsub('', setmetatable({}, { __index = function(_, k) return '<' .. k .. '>' end })))",
    ),
    (
        "format that quotes",
        "return (('%q %s %5.1f'):format(('a\\n\\0'):rep(500), ('x'):rep(500), 1.5)):sub(1, 9)",
    ),
    (
        "values passed on",
        "local t = {} for i = 1, 600 do t[i] = i end local n = 0 for i = 1, 20 do n = n + select('#', select(2, unpack(t))) + math.max(unpack(t)) end return tostring(n)",
    ),
    (
        "protected calls",
        "local n = 0 for i = 1, 50 do local ok, a, b = pcall(function(...) return ... end, 'x' .. i, {}) local _, m = xpcall(function() return nil .. '' end, function(e) return e .. '!' end) n = n + #a + #m end return tostring(n)",
    ),
    (
        "texts of numbers",
        "local n = 0 for i = 1, 100 do n = n + #tostring(i / 7) + #(i .. '') + tonumber(i .. '5') end return tostring(n)",
    ),
    (
        "iterators",
        "local n = 0 for i, v in ipairs({ 1, 2, 3 }) do for k in pairs({ a = 1, b = 2 }) do n = n + i + #k end end return tostring(n)",
    ),
    (
        "fields of a date",
        "local n = 0 for i = 1, 50 do n = n + os.date('!*t', i * 86400).yday + os.time({ year = 2000, month = 1, day = 1 + i }) % 7 end return tostring(n > 0)",
    ),
    (
        "chosen errors",
        "local n = 0 for i = 1, 50 do local _, e = pcall(error, ('long '):rep(50), 0) local _, a = pcall(assert, false, e .. i) n = n + #a end return tostring(n)",
    ),
    (
        "natives known as values",
        "local rep, cut = string.rep, string.gsub local function call(f, ...) return f(...) end local n = 0 for i = 1, 50 do n = n + #call(rep, 'ab', i) + #call(cut, 'a b', '%w', function(w) return call(rep, w, 9) end) end return tostring(n)",
    ),
    ("byte and char", "return string.char(('hello'):rep(100):byte(1, -1)):sub(1, 10)"),
];

/// The step between two memory limits tried; a prime, so that the limits fall on all kinds of places.
const MEMORY_STEP: usize = 1_021;

#[test]
fn wherever_the_memory_ends_the_program_ends_in_that_error() {
    check_rows(ORDINARY.to_vec(), |(name, _)| (*name).to_owned(), |(_, body)| fail_everywhere(body));
}

fn fail_everywhere(body: &str) -> Result<(), String> {
    let source = format!("function handle() {body} end");
    let whole = handle(&source, Limits::default());
    let expected = match &whole.result {
        Ok(outcome) => outcome.clone(),
        Err(failure) => return Err(format!("with all the memory: {failure:?}")),
    };
    let mut refused = 0;
    let mut memory_bytes = MEMORY_STEP;
    // What the program held is enough for it, but the peak counts garbage and misses what lies within a step.
    let enough = whole.stats.peak_memory_bytes * 3 + 64 * 1024;
    loop {
        let limits = Limits { memory_bytes, time: Duration::from_secs(20) };
        let ended = handle(&source, limits);
        match &ended.result {
            Ok(outcome) if *outcome == expected => {}
            Err(Failure::Run(RunError::Memory { limit, .. })) if *limit == memory_bytes => refused += 1,
            other => return Err(format!("with {memory_bytes} bytes: {other:?}")),
        }
        if memory_bytes >= enough {
            return match ended.result {
                Ok(_) if refused > 0 => Ok(()),
                Ok(_) => Err("no limit was too small".to_owned()),
                Err(failure) => Err(format!("with {memory_bytes} bytes, which is enough: {failure:?}")),
            };
        }
        // Past the first limit that is enough, what is left to find is rare: wider steps.
        memory_bytes += if ended.result.is_ok() { 8 * MEMORY_STEP } else { MEMORY_STEP };
    }
}
