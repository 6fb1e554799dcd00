-- expect: a	b	zero
-- expect: 1
-- expect: 3	1	2	3
-- expect: 1
local t = {}
t[1] = "a"
t[1.5] = "b"
t[-0.0] = "zero"
print(t[1.0], t[3 / 2], t[0])
t[2 ^ 31] = 1
print(t[2147483648])
for i = 1, 3 do t[i / 1] = i end
print(#t, t[1], t[2], t[3])
local n = 0
for k in pairs({[1] = 1, [1.0] = 2}) do n = n + 1 end
print(n)
