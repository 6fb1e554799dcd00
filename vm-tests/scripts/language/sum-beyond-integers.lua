-- expect: 3.5422484817926e+20
-- expect: false	true
local a, b = 0, 1
for i = 1, 100 do a, b = b, a + b end
print(a)
local x = 9223372036854775807
print(x + 1 > x - 1, -x - 10 < 0)
