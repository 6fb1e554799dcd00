-- expect: 3
-- expect: 4	1,2,3,4	4
local t = setmetatable({ 1, 2, 3 }, { __len = function() return 100 end })
print(#t)
table.insert(t, 4)
print(#t, table.concat(t, ","), table.remove(t))
