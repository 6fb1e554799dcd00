-- expect: abnil	-2	0
local s = "a" .. "b" .. tostring((...))
print(s, 7 % -3, select("#", ...))
