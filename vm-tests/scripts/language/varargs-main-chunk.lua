-- expect: 0
-- expect: true
-- expect: 0
-- expect: nil	nil
-- expect: nil
print(select("#", ...))
print(... == nil)
local t = {...}
print(#t)
local a, b = ...
print(a, b)
local function f(...) return ... end
print((f(...)))
