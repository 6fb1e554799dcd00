-- expect: true
-- reference: no integer division is extra
local m = -0x7fffffffffffffff - 1
print((pcall(function() return m // -1 end)))
