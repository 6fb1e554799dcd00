-- expect: false	named-call-local-number.lua:3: attempt to call upvalue 'n' (a number value)
local n = 5
print(pcall(function() n() end))
