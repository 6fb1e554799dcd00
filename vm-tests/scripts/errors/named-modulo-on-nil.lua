-- expect: false	named-modulo-on-nil.lua:3: attempt to perform arithmetic on a nil value (upvalue 'x')
local x
print(pcall(function() return x % 2 end))
