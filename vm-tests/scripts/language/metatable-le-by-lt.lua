-- expect: true	false	false	true
-- expect: true	false	true	true
-- expect: true	false	true	false	true	false
-- expect: false	true	false	false
-- expect: 3	a1 a2
-- expect: true	true	false
-- expect: true	1	2
-- expect: false	metatable-le-by-lt.lua:44: attempt to compare table with number
-- expect: false	metatable-le-by-lt.lua:45: attempt to compare nil with table
-- expect: false	metatable-le-by-lt.lua:46: attempt to compare two nil values
-- expect: false	metatable-le-by-lt.lua:49: attempt to compare number with nil
-- expect: false	metatable-le-by-lt.lua:54: not comparable
-- expect-error: metatable-le-by-lt.lua:60: attempt to compare two table values
local mt = { __lt = function(a, b) return a.v < b.v end }
local function V(v) return setmetatable({ v = v }, mt) end
local a, b = V(1), V(2)
print(a <= b, b <= a, a >= b, b >= a)
local equal = V(1)
print(a <= equal, a < equal, a >= equal, not (a > equal))
local function compare(x, y) return x <= y, x >= y end
local less, more = compare(1, 2)
local text_less, text_more = compare("a", "b")
local huge_less, huge_more = compare(2 ^ 53, 1 / 0)
print(less, more, text_less, text_more, huge_less, huge_more)
local nan_less, nan_more = compare(0 / 0, 1)
local counted, whole = compare(#"abc", 2.5)
print(counted, whole, nan_less, nan_more)
local order = {}
local function note(name, value)
    order[#order + 1] = name
    return value
end
local count = 0
for i = 1, 5 do
    if i <= 3 and note("a1", a) >= note("a2", a) then count = count + 1 end
end
print(count, order[1] .. " " .. order[2])
local t = { [true] = a <= b }
print(t[true], (a <= b) == true, not (a <= b))
print((function(...) return a <= b, ... end)(1, 2))
local function try(f)
    print(pcall(f))
end
try(function() return {} <= 1 end)
try(function(x) return {} >= x end)
try(function(x) return x <= x end)
try(function(x)
    local y = 1
    return x >= y
        and a <= b
end)
local broken = setmetatable({}, {
    __lt = function()
        error("not comparable")
    end,
})
try(function() return broken <= broken end)
local plain = {}
print(plain
    <= plain)
