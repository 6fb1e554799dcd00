-- expect: false	named-concat-returned.lua:3: attempt to concatenate a nil value (upvalue 'x')
local x
print(pcall(function() return "a" .. x end))
