-- expect: 1.5	999999999	1
-- expect: 0	0	0
-- expect: 1	-3	3	-1
-- expect: 0.25	0.25
print(5 % 3.5, -1 % 1e9, 1 % 1e9)
print(0 % 5, 0 % -5, 5 % 5)
local a, b = -7, 4
print(a % b, a % -b, -a % b, -a % -b)
a, b = 5.25, 0.5
print(a % b, -a % b)
