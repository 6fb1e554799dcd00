-- expect: false	call-nil.lua:3: attempt to call a nil value
local function none() end
print(pcall(function() local v = none()() return v end))
