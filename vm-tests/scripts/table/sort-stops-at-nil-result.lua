-- expect: 2	1
local t = {2, 1}
table.sort(t, function() end)
print(t[1], t[2])
