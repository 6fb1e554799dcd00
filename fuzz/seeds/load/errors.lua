local ok, e = pcall(function() local t = nil return t.x.y end)
local t = setmetatable({}, { __index = function(t, k) return k .. "!" end, __concat = function() return 1 end })
print(xpcall(error, function(m) return m end, "x"), t.a, t .. t, #"x")
error({ code = 2 })
