-- expect: false	named-unary-minus-on-table.lua:3: attempt to perform arithmetic on a table value (upvalue 't')
local t = {}
print(pcall(function() return -t end))
