-- expect: 2	1
-- expect: 2	1
-- expect: 2	20	1
-- expect: 0	nil	nil
-- expect: 7	8	9
-- expect: 7	1	nil
-- expect: 7	7
-- expect: 3	1	2
local a, b = 1, 2
a, b = b, a
print(a, b)
local t = {1, 2}
t[1], t[2] = t[2], t[1]
print(t[1], t[2])
local i = 1
i, t[i] = i + 1, 20
print(i, t[1], t[2])
a, b, c = 0
print(a, b, c)
local function f() return 7, 8, 9 end
a, b, c = f()
print(a, b, c)
a, b, c = f(), 1
print(a, b, c)
a, b = f(), f(), f()
print(a, b)
local x, y, z = 1, 2, 3
x, y, z = z, x, y
print(x, y, z)
