-- expect: 1.5511210043331e+25
local product = 1
for i = 1, 25 do product = product * i end
print(product)
