//! Numbers at the ends of their range, in every operation that takes them.

use super::check::{check_all, chunks};

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
            // As in reference Lua, where adding 1 to such a number gives the same number.
            "a loop beyond the exact integers",
            "timeout",
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
            "a numeral too long to read often",
            "limit",
            "local s = ('1'):rep(3000000) while true do local n = s + 0 end",
        ),
        (
            "a numeral too long, by zeros",
            "limit",
            "local s = ('0'):rep(4000000) .. '1' while true do pcall(function() return s * 1 + s * 2 + s * 3 end) end",
        ),
        (
            "a numeral too long, by blanks",
            "limit",
            "local s = table.concat({ (' '):rep(2000000), '1', (' '):rep(2000000) }) while true do local n = s + s + s + s end",
        ),
        (
            "a numeral too long, by gsub",
            "limit",
            "local s = ('x'):rep(300000):gsub('x', '1') while true do local n = s + s end",
        ),
        (
            "a numeral too long, by format",
            "limit",
            "local s = ('%s%d'):format((' '):rep(300000), 1) while true do local n = s + s end",
        ),
        (
            "long numerals in arithmetic",
            "timeout",
            "local s = ('0'):rep(131072) while true do local n = s + s + s + s + s + s + s + s + s + s + s + s + s + s end",
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
