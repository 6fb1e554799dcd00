//! Values that are hard to get right, each as a local variable that a program may begin with.

/// The name of a variable, and the statements that make it.
pub(super) const TREASURES: &[(&str, &str)] = &[
    ("cycle", "local cycle = {} cycle.self = cycle cycle[1] = cycle setmetatable(cycle, cycle)"),
    ("deep", "local deep = {} do local at = deep for i = 1, 500 do at[1] = {} at = at[1] end end"),
    ("long", "local long = ('ab, '):rep(10000)"),
    ("list", "local list = {} for i = 1, 1500 do list[i] = i * 7 % 1009 end"),
    ("records", "local records = {} for i = 1, 80 do records[i] = { n = i % 9, x = 'x' .. i } end"),
    (
        "emptied",
        "local emptied = {} for i = 1, 1000 do emptied[i] = i emptied['k' .. i] = i end \
         for i = 1, 1000 do emptied[i] = nil emptied['k' .. i] = nil end",
    ),
    ("holes", "local holes = { 1, nil, 3, nil, nil, 6, [2 ^ 53] = 1, [-1] = 2, [0.5] = 3, x = 4 }"),
    (
        "lying",
        "local lying = setmetatable({}, { __len = function() return 2 ^ 53 end, \
         __index = function(_, key) return key end, __newindex = function() end })",
    ),
    ("looping", "local looping = setmetatable({}, {}) getmetatable(looping).__index = looping"),
    (
        "failing",
        "local failing = {} do local f = function(...) error(..., 2) end setmetatable(failing, \
         { __add = f, __sub = f, __mul = f, __div = f, __mod = f, __pow = f, __unm = f, __concat = f, \
         __len = f, __eq = f, __lt = f, __le = f, __index = f, __newindex = f, __call = f, \
         __tostring = f, __idiv = f, __band = f, __shl = f }) end",
    ),
    (
        "again",
        "local again = setmetatable({}, { __add = function(a, b) return a + b end, \
         __concat = function(a, b) return a .. b end, __mod = function(a, b) return a % b end, \
         __len = function(a) return #a end, __eq = function(a, b) return a == b end, \
         __lt = function(a, b) return a < b end, __index = function(t, k) return t[k] end, \
         __newindex = function(t, k, v) t[k] = v end, __call = function(f, ...) return f(f, ...) end, \
         __tostring = function(t) return tostring(t) end })",
    ),
    (
        "growing",
        "local growing = setmetatable({}, { __concat = function(a, b) return { a, b } end, \
         __index = function(t, k) rawset(t, k, { t, k }) return rawget(t, k) end, \
         __call = function(_, ...) return ..., ... end, __tostring = function() return ('t'):rep(3000) end })",
    ),
    (
        "chain",
        "local chain = {} for i = 1, 300 do chain = setmetatable({}, { __index = chain, __newindex = chain }) end",
    ),
    ("flood", "local function flood(...) return ..., select('#', ...), ... end"),
    ("wide", "local function wide() return unpack({}, 1, 7990) end"),
    ("recurse", "local function recurse(...) return recurse(..., 1), 1 end"),
    ("endless", "local endless = function() return function() return 1 end end"),
    ("strange", "local strange = pcall and { pcall, error, next, select, print, tostring, string.format }"),
    ("text", "string.twice = function(s) return s .. s end local text = ('x'):twice()"),
    ("self_error", "local self_error = setmetatable({}, { __tostring = function(t) error(t) end })"),
    ("weak", "local weak = setmetatable({ {}, {} }, { __mode = 'kv', __metatable = false, __gc = print })"),
];
