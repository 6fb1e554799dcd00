//! Loops, recursion and ways out of the sandbox.

use super::check::{check_all, chunks};

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
