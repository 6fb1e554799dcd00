-- expect: 1	3	nil
-- expect: abc!	1!	nil
-- expect: 42
-- expect: false
-- expect: true	nil
-- expect: 1	1
local log = {}
local base = { x = 1, y = 2 }
local mid = setmetatable({ y = 3 }, { __index = base })
local top = setmetatable({}, { __index = mid })
print(top.x, top.y, top.z)
local f = setmetatable({}, { __index = function(t, k) return k .. "!" end })
print(f.abc, f[1], rawget(f, "abc"))
local chain = setmetatable({}, { __index = setmetatable({}, { __index = function(t, k) return k * 2 end }) })
print(chain[21])
local strict = setmetatable({}, { __index = function(t, k) error("no field " .. k, 2) end })
print((pcall(function() return strict.foo end)))
print(("x").len == string.len, ("x").nothing)
local t = setmetatable({}, { __index = function() return 1, 2, 3 end })
print(t.a, (t.b))
