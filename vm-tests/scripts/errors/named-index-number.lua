-- expect: false	named-index-number.lua:3: attempt to index upvalue 'n' (a number value)
local n = 5
print(pcall(function() return n.x end))
