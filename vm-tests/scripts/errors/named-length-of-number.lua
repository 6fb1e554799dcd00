-- expect: false	named-length-of-number.lua:3: attempt to get length of a number value (upvalue 'n')
local n = 5
print(pcall(function() return #n end))
