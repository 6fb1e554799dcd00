-- expect: false	named-call-nil-field.lua:3: attempt to call a nil value (field 'nosuch')
local t = {}
print(pcall(function() t.nosuch() end))
