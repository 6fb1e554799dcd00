-- expect: false	index-in-return.lua:3: attempt to index a nil value
local function none() end
print(pcall(function() return none().x end))
