-- expect: true	11	true
local c = setmetatable({}, { __call = function(self, a, b) return a + b, self ~= nil end })
print(pcall(c, 5, 6))
