-- expect: false	multiply-text.lua:3: attempt to perform arithmetic on a string value
local function text() return "abc" end
print(pcall(function() local v = text() * 2 return v end))
