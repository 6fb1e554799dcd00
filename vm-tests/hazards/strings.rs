//! Strings and lists of values that grow.

use super::check::{check_all_asked, chunks};

#[test]
fn strings_do_not_grow_without_asking() {
    check_all_asked(chunks(&[
        (
            "one text quoted thousands of times",
            "limit",
            "local s = ('x'):rep(2^22) local t = {} for i = 1, 7000 do t[i] = s end return ('%q'):rep(7000):format(unpack(t))",
        ),
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
    check_all_asked(chunks(&[
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
