-- expect: I am t	I am t
-- expect: xy
-- expect: locked	false	cannot change a protected metatable
local t = setmetatable({}, { __tostring = function(self) return "I am t" end })
print(t, tostring(t))
print(tostring(setmetatable({}, { __tostring = function() return "x" end })) .. "y")
local m = setmetatable({}, { __metatable = "locked" })
print(getmetatable(m), pcall(setmetatable, m, {}))
