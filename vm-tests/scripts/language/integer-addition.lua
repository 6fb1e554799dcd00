-- expect: 9.2233720368548e+18	-1.3835058055282e+19
-- expect: 3.5422484817926e+20
local x = 4611686018427387904
print(x + x, -x - x - x)
local a, b = 0, 1
for i = 1, 100 do a, b = b, a + b end
print(a)
