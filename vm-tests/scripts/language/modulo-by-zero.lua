-- expect: true
-- expect: true
-- expect: true
local n = 5 % 0
print(n ~= n)
local x, y = 5.5, 0
local m = x % y
print(m ~= m)
local z = 0
local k = 7 % z
print(k ~= k)
