-- expect: meta	nil
-- expect: true	2
-- expect: false	true	true	false
-- expect: false	bad argument #1 to 'rawget' (table expected, got no value)
-- expect: false	bad argument #1 to 'rawget' (table expected, got number)
-- expect: false	table index is nil
-- expect: false	bad argument #2 to 'rawequal' (value expected)
local t = setmetatable({}, { __index = function() return "meta" end, __newindex = function() end, __eq = function() return true end })
t.x = 1
print(t.x, rawget(t, "x"))
print(rawset(t, "x", 2) == t, t.x)
print(rawequal(t, setmetatable({}, getmetatable(t))), rawequal("a", "a"), rawequal(1, 1.0), rawequal(1, "1"))
print(pcall(rawget))
print(pcall(rawget, 1, 2))
print(pcall(rawset, {}, nil, 1))
print(pcall(rawequal, 1))
