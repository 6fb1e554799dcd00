-- expect: false	named-index-nil-local.lua:3: attempt to index a nil value (upvalue 't')
local t
print(pcall(function() return t.x end))
