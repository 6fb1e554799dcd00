-- expect: false	index-nil.lua:3: attempt to index a nil value
local function none() end
print(pcall(function() local v = none().x return v end))
