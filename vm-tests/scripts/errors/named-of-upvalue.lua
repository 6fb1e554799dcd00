-- expect: false	named-of-upvalue.lua:3: attempt to index a nil value (upvalue 'up')
local up
local function f() return up.x end
print(pcall(f))
