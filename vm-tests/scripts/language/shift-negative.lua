-- expect: false	shift-negative.lua:8: attempt to shift a fraction, or by a fraction or a negative number
-- expect: false	shift-negative.lua:9: attempt to shift a fraction, or by a fraction or a negative number
-- expect: false	shift-negative.lua:10: number has no integer representation
-- expect: false	shift-negative.lua:11: number has no integer representation
-- expect: false	shift-negative.lua:12: attempt to perform arithmetic on a nil value (local 'x')
-- reference: no operations on bits are extra
local n = -1
print(pcall(function() return 16 << n end))
print(pcall(function() return 1.5 >> 1 end))
print(pcall(function() return 2 | 0.5 end))
print(pcall(function() return ~(n / 2) end))
print(pcall(function() local x return 1 & x end))
