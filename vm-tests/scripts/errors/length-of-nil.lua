-- expect: false	length-of-nil.lua:3: attempt to get length of a nil value
local function none() end
print(pcall(function() local v = #none() return v end))
