-- expect: 1.1805916207174e+21
local s = 1
for i = 1, 70 do s = s * 2 end
print(s)
