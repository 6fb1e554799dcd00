-- expect: false	named-unary-minus-on-table.lua:3: attempt to perform arithmetic on upvalue 't' (a table value)
local t = {}
print(pcall(function() return -t end))
