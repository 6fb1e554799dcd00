-- expect: true	false	false	true	4
-- expect: true	4	false	false	4
-- expect: false	true
-- expect: nil	a
-- expect: false	true
local n = 0
local mt = { __eq = function(a, b) n = n + 1 return a.v == b.v end }
local a, b, c = setmetatable({ v = 1 }, mt), setmetatable({ v = 1 }, mt), setmetatable({ v = 2 }, mt)
print(a == b, a == c, a ~= b, a ~= c, n)
print(a == a, n, a == 1, a == nil, n)
print(rawequal(a, b), rawequal(a, a))
local t = {} t[a] = "a"
print(t[b], t[a])
local x = setmetatable({}, { __eq = function() return nil end })
local y = setmetatable({}, getmetatable(x))
print(x == y, x ~= y)
