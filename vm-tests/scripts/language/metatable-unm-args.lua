-- expect: true
local t = setmetatable({}, { __unm = function(a, b) return a == b end, __len = function() return 42 end })
print(-t)
