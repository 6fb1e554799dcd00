-- expect: false	named-call-local-number.lua:3: attempt to call a number value (upvalue 'n')
local n = 5
print(pcall(function() n() end))
