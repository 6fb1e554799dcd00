-- expect: false	call-in-return.lua:3: attempt to call a nil value
local function none() end
print(pcall(function() return none()(1) end))
