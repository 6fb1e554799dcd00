-- expect: false	concat-nil.lua:3: attempt to concatenate a nil value
local function none() end
print(pcall(function() local s = "a" .. none() .. "b" return s end))
