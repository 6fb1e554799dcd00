-- expect: false	named-arithmetic-on-nil.lua:3: attempt to perform arithmetic on upvalue 'x' (a nil value)
local x
print(pcall(function() return x + 1 end))
