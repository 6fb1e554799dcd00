-- expect: nil	true	nil	3
-- expect: false
local s = "abc"
print(s.x, s.len == string.len, s[1], #s)
print((pcall(function() s.x = 1 end)))
