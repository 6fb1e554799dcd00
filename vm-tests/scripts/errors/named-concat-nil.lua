-- expect: false	named-concat-nil.lua:3: attempt to concatenate upvalue 'x' (a nil value)
local x
print(pcall(function() local s = "a" .. x return s end))
