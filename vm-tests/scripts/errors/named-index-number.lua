-- expect: false	named-index-number.lua:3: attempt to index a number value (upvalue 'n')
local n = 5
print(pcall(function() return n.x end))
