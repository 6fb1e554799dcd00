-- expect: false	index-number.lua:3: attempt to index a number value
local function one() return 1 end
print(pcall(function() local v = one().x.y return v end))
