-- expect: 1000
-- expect: 500
-- expect: 501	0	3
local t = {}
for i = 1, 1000 do t[i] = i end
print(#t)
for i = 1000, 501, -1 do t[i] = nil end
print(#t)
t[#t + 1] = "x"
print(#t, #"", #"a\0b")
