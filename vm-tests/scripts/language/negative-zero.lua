-- expect: true	true
local z = 0
local m = -z
print(1 / m < 0, m == 0)
