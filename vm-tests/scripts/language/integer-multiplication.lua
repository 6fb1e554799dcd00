-- expect: 1e+20	1e+20
-- expect: 9.2233720370002e+18
-- expect: 1.5511210043331e+25
-- expect: 1.1805916207174e+21
print(1e10 * 1e10, 10000000000 * 10000000000)
print(3037000500 * 3037000500)
local f = 1
for i = 1, 25 do f = f * i end
print(f)
local s = 1
for i = 1, 70 do s = s * 2 end
print(s)
