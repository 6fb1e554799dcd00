-- expect: true
-- reference: no integers of 64 bits are extra
local m = -0x7fffffffffffffff - 1
local a, b, c = math.abs(m), -m, math.floor(m)
print(a ~= nil and b ~= nil and c == m)
