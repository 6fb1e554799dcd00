-- expect: aaa	1-2	2
-- expect: 1	function
-- expect: string
-- expect: string
local str, tab, m = string, table, math
print(str.rep("a", 3), tab.concat({1, 2}, "-"), m.max(1, 2))
local G = _G
print(G.tostring(1), type(G.os.time))
for _, lib in ipairs({ string, table }) do print(type(next(lib))) end
