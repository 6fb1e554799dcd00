-- expect: false	named-index-nil-field.lua:3: attempt to index field 'a' (a nil value)
local t = {}
print(pcall(function() return t.a.b end))
