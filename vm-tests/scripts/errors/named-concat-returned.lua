-- expect: false	named-concat-returned.lua:3: attempt to concatenate upvalue 'x' (a nil value)
local x
print(pcall(function() return "a" .. x end))
