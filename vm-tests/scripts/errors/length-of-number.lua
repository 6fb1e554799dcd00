-- expect: false	length-of-number.lua:3: attempt to get length of a number value
local function one() return 1 end
print(pcall(function() local v = #one() return v end))
