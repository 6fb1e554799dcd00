-- expect: mod	mod	mod	mod
local mt = { __mod = function(a, b) return "mod" end }
local t = setmetatable({}, mt)
print(t % 5, 5 % t, t % t, t % "x")
