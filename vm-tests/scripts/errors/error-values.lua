-- expect: false	true	42
-- expect: false	5
-- expect: false	true
-- expect: true
-- expect: 2
-- expect: custom
local t = { code = 42 }
local ok, e = pcall(error, t)
print(ok, e == t, e.code)
print(pcall(error, 5))
print(pcall(error, true))
print(pcall(function() error({ 1 }, 2) end) == false)
print(select("#", pcall(error)))
local e2 = setmetatable({}, { __tostring = function() return "custom" end })
local ok, e = pcall(error, e2)
print(tostring(e))
