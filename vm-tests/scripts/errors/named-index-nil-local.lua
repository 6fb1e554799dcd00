-- expect: false	named-index-nil-local.lua:3: attempt to index upvalue 't' (a nil value)
local t
print(pcall(function() return t.x end))
