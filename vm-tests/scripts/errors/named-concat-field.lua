-- expect: false	named-concat-field.lua:3: attempt to concatenate a nil value (field 'name')
local t = {}
print(pcall(function() local s = "a" .. t.name .. "b" return s end))
