-- expect: 6	10
local a1, a2, a3, a4, a5, a6, a7, a8, a9, a10 = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local s = 0
do local b1, b2, b3 = a1, a2, a3 s = s + b1 + b2 + b3 end
print(s, a10)
