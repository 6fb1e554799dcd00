-- expect: false	named-modulo-by-variable-on-nil.lua:3: attempt to perform arithmetic on a nil value (upvalue 'x')
local x, y = nil, 2
print(pcall(function() local r = x % y return r end))
