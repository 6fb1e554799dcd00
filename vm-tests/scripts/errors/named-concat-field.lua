-- expect: false	named-concat-field.lua:3: attempt to concatenate field 'name' (a nil value)
local t = {}
print(pcall(function() local s = "a" .. t.name .. "b" return s end))
