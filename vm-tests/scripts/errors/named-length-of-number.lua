-- expect: false	named-length-of-number.lua:3: attempt to get length of upvalue 'n' (a number value)
local n = 5
print(pcall(function() return #n end))
