-- expect: false	named-assign-nil-field.lua:3: attempt to index field 'a' (a nil value)
local t = {}
print(pcall(function() t.a.b = 1 end))
