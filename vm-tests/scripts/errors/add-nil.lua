-- expect: false	add-nil.lua:3: attempt to perform arithmetic on a nil value
local function none() end
print(pcall(function() local v = none() + 1 return v end))
