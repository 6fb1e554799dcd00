-- expect: false	named-concat-nil.lua:3: attempt to concatenate a nil value (upvalue 'x')
local x
print(pcall(function() local s = "a" .. x return s end))
