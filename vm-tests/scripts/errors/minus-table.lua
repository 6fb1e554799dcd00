-- expect: false	minus-table.lua:3: attempt to perform arithmetic on a table value
local function t() return {} end
print(pcall(function() local v = -t() return v end))
