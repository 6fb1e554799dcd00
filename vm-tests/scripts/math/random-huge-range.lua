-- expect: true	true
-- reference: no integers of 64 bits are extra
local a = math.random(-0x7fffffffffffffff - 1, 0x7fffffffffffffff)
local b = math.random(0, 0x7fffffffffffffff)
print(a == a, b >= 0)
