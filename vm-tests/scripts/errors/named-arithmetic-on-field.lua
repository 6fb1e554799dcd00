-- expect: false	named-arithmetic-on-field.lua:3: attempt to perform arithmetic on a nil value (field 'count')
local t = {}
print(pcall(function() return 1 + t.count end))
