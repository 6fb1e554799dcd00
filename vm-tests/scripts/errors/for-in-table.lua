-- expect: false	for-in-table.lua:3: attempt to call a table value
local t = {}
print(pcall(function() for k in t do end end))
