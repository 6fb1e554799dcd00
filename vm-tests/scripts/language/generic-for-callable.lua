-- expect: 1
-- expect: 2
-- expect: 3
local it = setmetatable({}, { __call = function(self, s, c) c = c + 1 if c <= s then return c end end })
for i in it, 3, 0 do print(i) end
