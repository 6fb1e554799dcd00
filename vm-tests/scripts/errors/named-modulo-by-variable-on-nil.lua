-- expect: false	named-modulo-by-variable-on-nil.lua:3: attempt to perform arithmetic on upvalue 'x' (a nil value)
local x, y = nil, 2
print(pcall(function() local r = x % y return r end))
