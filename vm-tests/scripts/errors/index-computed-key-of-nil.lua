-- expect: false	index-computed-key-of-nil.lua:3: attempt to index a nil value
local function none() end
print(pcall(function() local k = "a" local v = none()[k] return v end))
