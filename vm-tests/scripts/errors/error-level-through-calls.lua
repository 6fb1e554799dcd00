-- expect: false	error-level-through-calls.lua:8: not a number
-- expect: false	error-level-through-calls.lua:19: level three
-- expect: false	error-level-through-calls.lua:25: not a number
-- expect: false	error-level-through-calls.lua:27: not a number
-- Levels count script functions, through small ones and natives that call back.
local function check(v) if type(v) ~= "number" then error("not a number", 2) end return v end
local function double(v)
  local w = check(v)
  return w * 2
end
local function three(v)
  if not v then error("level three", 3) end
end
local function two(v)
  three(v)
end
local function one()
  local ok = 1
  two(nil)
end
print(pcall(function()
  return double("x") + 1
end))
print(pcall(one))
print(pcall(function() check() end))
table.sort({2, 1}, function(a, b)
  print(pcall(function() return 1 + check("s") end))
  return a < b
end)
