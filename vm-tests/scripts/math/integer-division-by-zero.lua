-- expect: inf
-- reference: no integer division is extra
local z = 0
print(1 // z)
