-- expect: 3
-- expect: 3
-- reference: no integers of 64 bits are extra
local n = 0
for i = -0x7fffffffffffffff - 1, -0x7fffffffffffffff + 1 do n = n + 1 end
print(n)
n = 0
for i = 0x7ffffffffffffffd, 0x7fffffffffffffff do n = n + 1 end
print(n)
