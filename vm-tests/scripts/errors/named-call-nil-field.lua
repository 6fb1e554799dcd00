-- expect: false	named-call-nil-field.lua:3: attempt to call field 'nosuch' (a nil value)
local t = {}
print(pcall(function() t.nosuch() end))
