-- expect: false	named-length-of-nil.lua:3: attempt to get length of upvalue 'x' (a nil value)
local x
print(pcall(function() return #x end))
