-- expect: 3	true
-- expect: 7	true
-- expect: 15	true
-- expect: 0	1	2
local c = setmetatable({}, { __call = function(self, a, b) return a + b, self ~= nil end })
print(c(1, 2))
local function apply(f, ...) return f(...) end
print(apply(c, 3, 4))
local o = setmetatable({ m = c }, {})
print(o.m(7, 8))
local v = setmetatable({}, { __call = function(self, ...) return select("#", ...) end })
print(v(), v(nil), v(nil, nil))
