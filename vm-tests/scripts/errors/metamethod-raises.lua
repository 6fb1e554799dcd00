-- expect: false	index x
-- expect: false	add
-- expect: false	call
-- expect: false	tostring
-- expect: false	concat
-- expect: false	lt
-- expect: false	tostring
local t = setmetatable({}, {
  __index = function(t, k) error("index " .. k, 0) end,
  __add = function() error("add", 0) end,
  __call = function() error("call", 0) end,
  __tostring = function() error("tostring", 0) end,
  __concat = function() error("concat", 0) end,
  __lt = function() error("lt", 0) end,
})
print(pcall(function() return t.x end))
print(pcall(function() return t + 1 end))
print(pcall(function() return t() end))
print(pcall(tostring, t))
print(pcall(function() return t .. "x" end))
print(pcall(function() return t < t end))
print(pcall(print, t))
