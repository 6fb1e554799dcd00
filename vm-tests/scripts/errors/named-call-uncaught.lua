-- expect-error: named-call-uncaught.lua:2: attempt to call global 'nosuchfunction' (a nil value)
local function f() return nosuchfunction(1) + 1 end
f()
