-- expect-error: call-uncaught.lua:3: attempt to call a nil value
local function none() end
local function f() local v = none()(1) + 1 return v end
local v = f()
