-- expect: false	named-of-upvalue.lua:3: attempt to index upvalue 'up' (a nil value)
local up
local function f() return up.x end
print(pcall(f))
