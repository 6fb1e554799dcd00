-- expect: false	named-arithmetic-on-text.lua:3: attempt to perform arithmetic on a string value (upvalue 's')
local s = "abc"
print(pcall(function() return s * 2 end))
