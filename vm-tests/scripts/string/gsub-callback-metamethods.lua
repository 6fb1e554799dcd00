-- expect: <a> <b>	2
-- expect: aabb	2
-- expect: ab
local t = setmetatable({}, { __index = function(_, k) return "<" .. k .. ">" end })
print(("a b"):gsub("%a", t))
local log = {}
print(("ab"):gsub(".", function(c) log[#log + 1] = c return (("x"):gsub("x", c .. c)) end))
print(table.concat(log))
