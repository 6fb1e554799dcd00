-- expect: false	named-arithmetic-on-nil.lua:3: attempt to perform arithmetic on a nil value (upvalue 'x')
local x
print(pcall(function() return x + 1 end))
