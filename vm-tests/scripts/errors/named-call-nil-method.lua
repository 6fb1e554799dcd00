-- expect: false	named-call-nil-method.lua:3: attempt to call a nil value (method 'nosuch')
local t = {}
print(pcall(function() t:nosuch() end))
