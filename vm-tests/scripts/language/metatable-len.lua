-- expect: 100
-- expect: 100	1,2,3,4	4
-- reference: no __len of tables came after 5.1; the table library keeps to the real length
local t = setmetatable({ 1, 2, 3 }, { __len = function() return 100 end })
print(#t)
table.insert(t, 4)
print(#t, table.concat(t, ","), table.remove(t))
