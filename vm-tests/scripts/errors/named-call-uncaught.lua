-- expect-error: named-call-uncaught.lua:2: attempt to call a nil value (global 'nosuchfunction')
local function f() return nosuchfunction(1) + 1 end
f()
