-- expect: false	named-assign-nil-field.lua:3: attempt to index a nil value (field 'a')
local t = {}
print(pcall(function() t.a.b = 1 end))
