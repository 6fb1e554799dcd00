-- expect: false	named-length-of-nil.lua:3: attempt to get length of a nil value (upvalue 'x')
local x
print(pcall(function() return #x end))
