-- expect: nil	5	2
-- expect: 10
-- expect: false
-- expect: d
local store = {}
local t = setmetatable({ old = 1 }, { __newindex = store })
t.new = 5
t.old = 2
print(rawget(t, "new"), store.new, t.old)
local log = {}
local p = setmetatable({}, { __newindex = function(t, k, v) rawset(t, k, v * 2) end })
p.a = 1 p.a = 10
print(p.a)
local ro = setmetatable({}, { __newindex = function(t, k) error("read-only " .. k, 2) end })
print((pcall(function() ro.x = 1 end)))
local a = setmetatable({}, { __newindex = setmetatable({}, { __newindex = store }) })
a.deep = "d"
print(store.deep)
