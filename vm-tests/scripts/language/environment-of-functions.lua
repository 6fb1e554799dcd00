-- expect: 10
-- expect: 3
local function set() value = 10 end
set()
print(value)
local name = "dyn" .. "amic"
_G[name] = 3
print(dynamic)
