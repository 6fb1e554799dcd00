//! Patterns that backtrack.

use super::check::{check_all, chunks};

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
