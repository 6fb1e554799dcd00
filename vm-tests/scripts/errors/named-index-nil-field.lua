-- expect: false	named-index-nil-field.lua:3: attempt to index a nil value (field 'a')
local t = {}
print(pcall(function() return t.a.b end))
