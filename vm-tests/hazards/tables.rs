//! Tables that grow, lie about their length or go round in circles.

use super::check::{check_all, chunks};

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
            "insert before a far border",
            "limit",
            "local t = {} for i = 1, 113 do t['k' .. i] = 1 end for i = 0, 59 do t[2^i] = 1 end table.insert(t, 1, 'x')",
        ),
        (
            "remove before a far border",
            "limit",
            "local t = {} for i = 1, 113 do t['k' .. i] = 1 end for i = 0, 59 do t[2^i] = 1 end table.remove(t, 1)",
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
