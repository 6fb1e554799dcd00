-- expect: 0	0
-- expect: false
local m = -0x7fffffffffffffff - 1
print(m % -1, (-0x7fffffffffffffff - 1) % -1)
local x = 0x7fffffffffffffff
print((x - 1) % x == x - 1)
