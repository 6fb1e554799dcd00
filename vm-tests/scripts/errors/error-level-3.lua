-- expect: false	error-level-3.lua:8: three up
local function inner() error("three up", 3) end
local function middle()
  inner()
  return 1
end
local function outer()
  local r = middle()
  return r
end
print(pcall(outer))
