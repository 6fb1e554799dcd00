-- expect: false	concat-nil-in-return.lua:3: attempt to concatenate a nil value
local function none() end
print(pcall(function() return "a" .. none() end))
