-- expect: false	named-call-nil-method.lua:3: attempt to call method 'nosuch' (a nil value)
local t = {}
print(pcall(function() t:nosuch() end))
