-- expect: false	modulo-by-nil.lua:3: attempt to perform arithmetic on a nil value
local function none() end
print(pcall(function() local v = 5 % none() return v end))
