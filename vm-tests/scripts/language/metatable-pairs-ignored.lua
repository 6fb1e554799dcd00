-- expect: 1	1
-- expect: 1	1
local t = setmetatable({ 1 }, { __pairs = function() error("no") end, __ipairs = function() error("no") end })
for k, v in pairs(t) do print(k, v) end
for k, v in ipairs(t) do print(k, v) end
